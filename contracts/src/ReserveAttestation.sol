// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IAggregatorV3} from "./interfaces/IAggregatorV3.sol";
import {IReserveStatus} from "./interfaces/IReserveStatus.sol";
import {ReportPayload} from "./libraries/ReportPayload.sol";
import {ReportReceiver} from "./ReportReceiver.sol";
import {Ingress} from "./types/Ingress.sol";

/// @title Whether the reserves cover the liabilities, and nothing more
/// @notice Keeps the answer of the last solvency report. It starts unknown, which is not solvent, and an answer that is
/// older than `maxAge` counts as not solvent either. No amount ever arrives here. Only the last answer is stored; the
/// history is in the events.
///
/// *Layout* of the first storage word behind the sequences:
///
///   bits        field
///   ---------   -------------
///     0..8      status
///     8..72     attestedBlock
///    72..136    attestedTime
///   136..200    sequence
contract ReserveAttestation is ReportReceiver, IAggregatorV3, IReserveStatus {
    /// @notice No statement could be made.
    uint8 public constant UNKNOWN = 0;
    /// @notice Reserves ≥ liabilities at the attested block.
    uint8 public constant SOLVENT = 1;
    /// @notice Reserves < liabilities at the attested block.
    uint8 public constant INSOLVENT = 2;

    /// @notice Public key of the agent whose signed envelope each report digests.
    bytes32 public immutable agentKey;
    /// @notice Seconds after the attested block's time for which an answer counts.
    uint64 public immutable maxAge;

    /// @inheritdoc IReserveStatus
    uint8 public status;
    /// @notice Block that the last report speaks of.
    uint64 public attestedBlock;
    /// @notice Unix time of that block.
    uint64 public attestedTime;
    /// @notice Sequence of the last report.
    uint64 public sequence;
    /// @notice Hash of the balance table's header at that block.
    bytes32 public headerHash;
    /// @notice Digest of the agent's signed envelope.
    bytes32 public envelopeDigest;

    /// @notice The answer changed or was confirmed.
    event ReserveStatusUpdated(bool isSolvent, uint256 timestamp);
    /// @notice All that a report said.
    event SolvencyReport(
        uint8 status,
        uint64 indexed blockNumber,
        bytes32 headerHash,
        bytes32 envelopeDigest,
        bytes32 attestation,
        uint64 sequence
    );

    /// @notice The agent's key is zero.
    error ZeroAgentKey();
    /// @notice The longest age of an answer is zero.
    error ZeroMaxAge();
    /// @notice The status is none of the three.
    error UnknownStatus(uint8 found);
    /// @notice The report speaks of a time before the one already attested.
    error TimeWentBackwards(uint64 last, uint64 found);
    /// @notice The report speaks of a block before the one already attested.
    error BlockWentBackwards(uint64 last, uint64 found);
    /// @notice The report speaks of a block that this chain has not reached.
    error BlockInFuture(uint256 current, uint64 found);
    /// @notice The report speaks of a time that has not come.
    error TimeInFuture(uint256 current, uint64 found);
    /// @notice The feed-shaped view keeps the last round alone.
    error NoDataPresent(uint80 round);

    constructor(Ingress memory ingress, bytes32 agentKey_, uint64 maxAge_) ReportReceiver(ingress) {
        if (agentKey_ == 0) revert ZeroAgentKey();
        if (maxAge_ == 0) revert ZeroMaxAge();
        agentKey = agentKey_;
        maxAge = maxAge_;
    }

    /// @inheritdoc IReserveStatus
    function isSolvent() public view returns (bool) {
        return status == SOLVENT && !isStale();
    }

    /// @inheritdoc IReserveStatus
    /// @dev It counts until `maxAge` seconds after the attested block.
    function isStale() public view returns (bool) {
        return attestedTime == 0 || block.timestamp > uint256(attestedTime) + maxAge;
    }

    /// @inheritdoc IAggregatorV3
    function decimals() external pure returns (uint8) {
        return 0;
    }

    /// @inheritdoc IAggregatorV3
    function description() external pure returns (string memory) {
        return "reserve status: 1 solvent, 0 unknown, -1 insolvent";
    }

    /// @inheritdoc IAggregatorV3
    function version() external pure returns (uint256) {
        return 1;
    }

    /// @notice The last answer in the shape of a price feed: 1 solvent, 0 unknown, −1 insolvent.
    /// @dev *Security*: as with any feed, the reader MUST compare `updatedAt` with its own bound; a stale answer is still
    /// returned. Before the first report every value is zero.
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return _round();
    }

    /// @notice The same, where `round` is the last one; rounds are the reports' sequences.
    function getRoundData(uint80 round) external view returns (uint80, int256, uint256, uint256, uint80) {
        if (round == 0 || round != sequence) revert NoDataPresent(round);
        return _round();
    }

    /// @inheritdoc ReportReceiver
    function _workflowNameOf(uint8 kind) internal view override returns (bytes10) {
        if (kind != ReportPayload.SOLVENCY) revert UnexpectedKind(kind);
        return workflowName;
    }

    /// @inheritdoc ReportReceiver
    function _process(ReportPayload.Binding memory binding, bytes calldata report) internal override {
        ReportPayload.Solvency memory s = ReportPayload.solvency(report);
        if (s.status > INSOLVENT) revert UnknownStatus(s.status);
        _checkOrder(s);
        status = s.status;
        attestedBlock = s.blockNumber;
        attestedTime = s.blockTime;
        sequence = binding.sequence;
        headerHash = s.headerHash;
        envelopeDigest = s.envelopeDigest;
        emit SolvencyReport(
            s.status, s.blockNumber, s.headerHash, s.envelopeDigest, binding.attestation, binding.sequence
        );
        emit ReserveStatusUpdated(isSolvent(), block.timestamp);
    }

    function _checkOrder(ReportPayload.Solvency memory s) private view {
        if (s.blockTime < attestedTime) revert TimeWentBackwards(attestedTime, s.blockTime);
        if (s.blockNumber < attestedBlock) revert BlockWentBackwards(attestedBlock, s.blockNumber);
        if (s.blockNumber > block.number) revert BlockInFuture(block.number, s.blockNumber);
        if (s.blockTime > block.timestamp) revert TimeInFuture(block.timestamp, s.blockTime);
    }

    function _round() private view returns (uint80, int256, uint256, uint256, uint80) {
        return (sequence, _answer(), attestedTime, attestedTime, sequence);
    }

    function _answer() private view returns (int256) {
        if (status == SOLVENT) return 1;
        return status == INSOLVENT ? -1 : int256(0);
    }
}
