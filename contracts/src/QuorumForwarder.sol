// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";

import {IReceiver} from "./interfaces/IReceiver.sol";
import {BLS12381} from "./libraries/BLS12381.sol";
import {CanonicalSignature} from "./libraries/CanonicalSignature.sol";
import {ReportHeader} from "./libraries/ReportHeader.sol";
import {GroupKey} from "./types/GroupKey.sol";

/// @title Delivers what a quorum signed
/// @notice Checks f+1 signatures over a raw report and hands its payload to the receiver. `report`, the events, the
/// digest that is signed and the transmission ids are those of Chainlink's KeystoneForwarder 1.0.0, so that theirs can
/// be put in this one's place.
///
/// Stricter than theirs: the context is 96 bytes and begins with the digest of the stored configuration, which binds
/// chain and forwarder; the header's version is 1; s is in the lower half; a report cannot be delivered from inside a
/// delivery. Added: `DeliveryReverted` carries the receiver's reason, which theirs drops.
///
/// A configuration has signers, of whom f+1 sign with ECDSA; or one group key, under which any f+1 of the participants
/// that share it make one BLS signature (`setGroupConfig`). A report finds its configuration by DON id and version.
///
/// *Layout* of the context:
///
///   bytes     field
///   -------   ------------------------------------------------------------------------------------------
///    0..32    keccak256(abi.encode(chain id, forwarder, DON id, configuration version, f, signers)), or for a group key
///             keccak256(abi.encode("ccc/v1/group-config", chain id, forwarder, DON id, configuration version, f,
///             participants, group key)), the text as one word and padded with zeros
///   32..64    sequence
///   64..96    zeros
///
/// *Security*: the signed digest is keccak256(keccak256(raw report) ‖ context). It binds no receiver: a receiver MUST
/// find itself named in the payload. A delivery that reverted can be repeated by anyone: a receiver MUST check
/// sequence and last valid second.
contract QuorumForwarder is Ownable2Step, ReentrancyGuardTransient {
    using ReportHeader for bytes;

    /// @notice Most signers a configuration can have.
    uint256 public constant MAX_ORACLES = 31;
    /// @notice Name and version; 1.1 knows groups.
    string public constant typeAndVersion = "QuorumForwarder 1.1.0";

    /// @notice What a group signs to show that it can, before the digest of its configuration.
    /// @dev Longer than the digest of a report, so that it is never one.
    bytes32 public constant GROUP_POSSESSION = "ccc/v1/group-possession";
    /// @dev First word under the digest of a group's configuration: no chain has such a number.
    bytes32 private constant GROUP_CONFIG = "ccc/v1/group-config";

    uint256 private constant CONTEXT_LENGTH = 96;
    /// @dev Revert data that `DeliveryReverted` shows at most.
    uint256 private constant MAX_REVERT_DATA = 256;
    /// @dev Kept back from the receiver, for the result, the reason and the events.
    uint256 private constant GAS_AFTER_DELIVERY = 15_000;
    /// @dev Kept back from `gasLimit`: the above, the transmission's storage and the call's own cost.
    uint256 private constant GAS_AROUND_DELIVERY = 25_000 + GAS_AFTER_DELIVERY;
    /// @dev Least gas for the receiver: its ERC-165 probe (three calls of 30,000) and its work.
    uint256 private constant MINIMUM_GAS_LIMIT = 130_000;

    /// @notice `FAILED` may be tried again by anyone; `SUCCEEDED` and `INVALID_RECEIVER` are final.
    enum TransmissionState {
        NOT_ATTEMPTED,
        SUCCEEDED,
        INVALID_RECEIVER,
        FAILED
    }

    /// @notice What became of a delivery, field for field as Chainlink's `IRouter` gives it.
    /// @param transmissionId keccak256(receiver ‖ execution id ‖ report id).
    /// @param state Where the delivery stands.
    /// @param transmitter Who made the last attempt.
    /// @param invalidReceiver Whether the receiver is not an `IReceiver`.
    /// @param success Whether the receiver accepted.
    /// @param gasLimit Gas that the last attempt left for the receiver.
    struct TransmissionInfo {
        bytes32 transmissionId;
        TransmissionState state;
        address transmitter;
        bool invalidReceiver;
        bool success;
        uint80 gasLimit;
    }

    /// @notice Who verifies for a configuration: ECDSA of several signers, or BLS of one group key.
    enum Verifier {
        ECDSA,
        BLS
    }

    /// @dev A set of signers of which f may be faulty, or the key of a group. Positions count from 1.
    struct Config {
        bytes32 digest;
        uint8 f;
        Verifier verifier;
        address[] signers;
        mapping(address signer => uint256 position) positions;
        GroupKey groupKey;
    }

    struct Transmission {
        address transmitter;
        bool invalidReceiver;
        bool success;
        uint80 gasLimit;
    }

    mapping(uint64 configId => Config config) private _configs;
    mapping(bytes32 transmissionId => Transmission transmission) private _transmissions;

    /// @notice A delivery was attempted; `result` is whether the receiver accepted.
    event ReportProcessed(
        address indexed receiver, bytes32 indexed workflowExecutionId, bytes2 indexed reportId, bool result
    );
    /// @notice The receiver refused. At most 256 bytes of its revert data.
    event DeliveryReverted(address indexed receiver, bytes32 indexed workflowExecutionId, bytes revertData);
    /// @notice A configuration was set, or with f = 0 cleared.
    event ConfigSet(uint32 indexed donId, uint32 indexed configVersion, uint8 f, address[] signers);
    /// @notice A configuration with one group key was set.
    event GroupConfigSet(
        uint32 indexed donId, uint32 indexed configVersion, uint8 f, uint16 participants, bytes groupKey
    );

    /// @notice f is zero.
    error FaultToleranceMustBePositive();
    /// @notice More signers than `MAX_ORACLES`.
    error ExcessSigners(uint256 numSigners, uint256 maxSigners);
    /// @notice Fewer signers than 3f+1.
    error InsufficientSigners(uint256 numSigners, uint256 minSigners);
    /// @notice A signer appears twice, in a configuration or among the signatures.
    error DuplicateSigner(address signer);
    /// @notice There are not exactly f+1 signatures, or with a group key not exactly one.
    error InvalidSignatureCount(uint256 expected, uint256 received);
    /// @notice No such configuration, or it was cleared.
    error InvalidConfig(uint64 configId);
    /// @notice The signer is zero, or not in the configuration.
    error InvalidSigner(address signer);
    /// @notice The signature over this digest is not that of the configuration's group key.
    error InvalidGroupSignature(bytes32 digest);
    /// @notice The group did not show that it can sign for this configuration.
    error InvalidPossession(bytes32 configDigest);
    /// @notice The context is not 96 bytes long.
    error InvalidContextLength(uint256 expected, uint256 found);
    /// @notice The context was made for another configuration, forwarder or chain.
    error ConfigDigestMismatch(bytes32 expected, bytes32 found);
    /// @notice Too little gas is left for the receiver.
    error InsufficientGasForRouting(bytes32 transmissionId);
    /// @notice The delivery has already succeeded, or its receiver can never accept.
    error AlreadyAttempted(bytes32 transmissionId);

    constructor(address owner) Ownable(owner) {}

    /// @notice Stores a set of signers, in place of what this DON id and version had.
    /// @param f Signers that may be faulty; f+1 sign a report.
    /// @param signers 3f+1 to 31 distinct addresses.
    function setConfig(uint32 donId, uint32 configVersion, uint8 f, address[] calldata signers) external onlyOwner {
        _checkConfig(f, signers.length);
        Config storage config = _configs[_configId(donId, configVersion)];
        _forgetSigners(config);
        _storeSigners(config, signers);
        (config.f, config.verifier) = (f, Verifier.ECDSA);
        config.digest = keccak256(abi.encode(block.chainid, address(this), donId, configVersion, f, signers));
        emit ConfigSet(donId, configVersion, f, signers);
    }

    /// @notice Stores a group key, in place of what this DON id and version had.
    /// @dev Of f and participants the chain knows what the group itself has signed: the key does not tell them.
    /// @param f Participants that may be faulty; any f+1 make a signature.
    /// @param participants At least 3f+1 holders of a share of the key.
    /// @param groupKey Point of G1, 128 bytes.
    /// @param possession Signature of the group over `GROUP_POSSESSION` ‖ the configuration's digest, 256 bytes.
    function setGroupConfig(
        uint32 donId,
        uint32 configVersion,
        uint8 f,
        uint16 participants,
        bytes calldata groupKey,
        bytes calldata possession
    ) external onlyOwner {
        if (f == 0) revert FaultToleranceMustBePositive();
        if (participants <= 3 * uint256(f)) revert InsufficientSigners(participants, 3 * uint256(f) + 1);
        bytes32 digest = groupConfigDigest(donId, configVersion, f, participants, groupKey);
        bytes memory claim = abi.encodePacked(GROUP_POSSESSION, digest);
        if (!BLS12381.verify(groupKey, claim, possession)) revert InvalidPossession(digest);
        Config storage config = _configs[_configId(donId, configVersion)];
        _forgetSigners(config);
        delete config.signers;
        config.groupKey.pack(groupKey);
        (config.digest, config.f, config.verifier) = (digest, f, Verifier.BLS);
        emit GroupConfigSet(donId, configVersion, f, participants, groupKey);
    }

    /// @notice Makes a configuration unusable, whoever verified for it.
    /// @dev Signers, or the group's key, stay in storage until another configuration takes the place: nothing that verifies reads them.
    function clearConfig(uint32 donId, uint32 configVersion) external onlyOwner {
        Config storage config = _configs[_configId(donId, configVersion)];
        (config.f, config.verifier) = (0, Verifier.ECDSA);
        config.digest = 0;
        emit ConfigSet(donId, configVersion, 0, new address[](0));
    }

    /// @notice Checks the signatures and delivers the payload. Anyone may call it.
    /// @dev When the receiver reverts, this call still succeeds: `ReportProcessed` says false, `DeliveryReverted` says
    /// why, and the delivery may be tried again.
    /// @param receiver Contract that takes the report.
    /// @param rawReport Header of 109 bytes and payload.
    /// @param reportContext 96 bytes, beginning with the configuration's digest.
    /// @param signatures Exactly f+1 of r ‖ s ‖ v by distinct signers; v is 0 or 1. With a group key exactly one, a point
    /// of G2 in 256 bytes.
    function report(
        address receiver,
        bytes calldata rawReport,
        bytes calldata reportContext,
        bytes[] calldata signatures
    ) external nonReentrant {
        rawReport.check();
        Config storage config = _configOf(rawReport);
        _checkContext(config, reportContext);
        bytes32 digest = keccak256(abi.encodePacked(keccak256(rawReport), reportContext));
        if (config.verifier == Verifier.ECDSA) _checkSignatures(config, digest, signatures);
        else _checkGroupSignature(config, digest, signatures);
        bool result = _route(receiver, rawReport);
        emit ReportProcessed(receiver, rawReport.executionId(), rawReport.reportId(), result);
    }

    /// @notice Digest that the context of a report under this configuration begins with; zero where there is none.
    function configDigest(uint32 donId, uint32 configVersion) external view returns (bytes32) {
        return _configs[_configId(donId, configVersion)].digest;
    }

    /// @notice Who verifies for this configuration; `ECDSA` where there is none. What counts is the digest.
    function verifier(uint32 donId, uint32 configVersion) external view returns (Verifier) {
        return _configs[_configId(donId, configVersion)].verifier;
    }

    /// @notice What became of a delivery.
    function getTransmissionInfo(address receiver, bytes32 workflowExecutionId, bytes2 reportId)
        external
        view
        returns (TransmissionInfo memory)
    {
        bytes32 id = getTransmissionId(receiver, workflowExecutionId, reportId);
        Transmission memory t = _transmissions[id];
        return TransmissionInfo(id, _stateOf(t), t.transmitter, t.invalidReceiver, t.success, t.gasLimit);
    }

    /// @notice Who made the last attempt.
    function getTransmitter(address receiver, bytes32 workflowExecutionId, bytes2 reportId)
        external
        view
        returns (address)
    {
        return _transmissions[getTransmissionId(receiver, workflowExecutionId, reportId)].transmitter;
    }

    /// @notice Digest of a configuration with this group key on this chain: what its group signs, and contexts begin with.
    function groupConfigDigest(
        uint32 donId,
        uint32 configVersion,
        uint8 f,
        uint16 participants,
        bytes calldata groupKey
    ) public view returns (bytes32) {
        return keccak256(
            abi.encode(GROUP_CONFIG, block.chainid, address(this), donId, configVersion, f, participants, groupKey)
        );
    }

    /// @notice keccak256(receiver ‖ execution id ‖ report id).
    function getTransmissionId(address receiver, bytes32 workflowExecutionId, bytes2 reportId)
        public
        pure
        returns (bytes32)
    {
        return keccak256(bytes.concat(bytes20(receiver), workflowExecutionId, reportId));
    }

    function _configId(uint32 donId, uint32 configVersion) private pure returns (uint64) {
        return (uint64(donId) << 32) | configVersion;
    }

    function _checkConfig(uint256 f, uint256 signers) private pure {
        if (f == 0) revert FaultToleranceMustBePositive();
        if (signers > MAX_ORACLES) revert ExcessSigners(signers, MAX_ORACLES);
        if (signers <= 3 * f) revert InsufficientSigners(signers, 3 * f + 1);
    }

    function _forgetSigners(Config storage config) private {
        uint256 count = config.signers.length;
        for (uint256 i = 0; i < count; ++i) {
            delete config.positions[config.signers[i]];
        }
    }

    function _storeSigners(Config storage config, address[] calldata signers) private {
        for (uint256 i = 0; i < signers.length; ++i) {
            address signer = signers[i];
            if (signer == address(0)) revert InvalidSigner(signer);
            if (config.positions[signer] != 0) revert DuplicateSigner(signer);
            config.positions[signer] = i + 1;
        }
        config.signers = signers;
    }

    function _configOf(bytes calldata rawReport) private view returns (Config storage config) {
        uint64 id = rawReport.configId();
        config = _configs[id];
        if (config.f == 0) revert InvalidConfig(id);
    }

    function _checkContext(Config storage config, bytes calldata context) private view {
        if (context.length != CONTEXT_LENGTH) revert InvalidContextLength(CONTEXT_LENGTH, context.length);
        bytes32 found = bytes32(context[0:32]);
        if (found != config.digest) revert ConfigDigestMismatch(config.digest, found);
    }

    function _checkSignatures(Config storage config, bytes32 digest, bytes[] calldata signatures) private view {
        uint256 expected = uint256(config.f) + 1;
        if (signatures.length != expected) revert InvalidSignatureCount(expected, signatures.length);
        uint256 seen = 0;
        for (uint256 i = 0; i < expected; ++i) {
            address signer = CanonicalSignature.recover(digest, signatures[i]);
            uint256 position = config.positions[signer];
            if (position == 0) revert InvalidSigner(signer);
            // forge-lint: disable-next-line(incorrect-shift)
            uint256 bit = 1 << position;
            if (seen & bit != 0) revert DuplicateSigner(signer);
            seen |= bit;
        }
    }

    function _checkGroupSignature(Config storage config, bytes32 digest, bytes[] calldata signatures) private view {
        if (signatures.length != 1) revert InvalidSignatureCount(1, signatures.length);
        bool valid = BLS12381.verify(config.groupKey.unpack(), abi.encodePacked(digest), signatures[0]);
        if (!valid) revert InvalidGroupSignature(digest);
    }

    function _route(address receiver, bytes calldata rawReport) private returns (bool) {
        bytes32 executionId = rawReport.executionId();
        bytes32 id = getTransmissionId(receiver, executionId, rawReport.reportId());
        _beginTransmission(id);
        if (!ERC165Checker.supportsInterface(receiver, type(IReceiver).interfaceId)) {
            _transmissions[id].invalidReceiver = true;
            return false;
        }
        bytes memory call = abi.encodeCall(IReceiver.onReport, (rawReport.metadata(), rawReport.payload()));
        (bool success, bytes memory reason) = _call(receiver, call);
        if (success) _transmissions[id].success = true;
        else emit DeliveryReverted(receiver, executionId, reason);
        return success;
    }

    function _beginTransmission(bytes32 id) private {
        uint256 available = gasleft();
        if (available < GAS_AROUND_DELIVERY + MINIMUM_GAS_LIMIT) revert InsufficientGasForRouting(id);
        Transmission memory t = _transmissions[id];
        if (t.success || t.invalidReceiver) revert AlreadyAttempted(id);
        // Fits: no block has 2^80 gas.
        // forge-lint: disable-next-line(unsafe-typecast)
        _transmissions[id] = Transmission(msg.sender, false, false, uint80(available - GAS_AROUND_DELIVERY));
    }

    /// @dev Calls the receiver, keeps `GAS_AFTER_DELIVERY` back, and copies at most `MAX_REVERT_DATA` of what it
    /// returns: a high-level call would copy everything, and the receiver could spend the transmitter's gas with it.
    function _call(address receiver, bytes memory data) private returns (bool success, bytes memory reason) {
        uint256 available = gasleft();
        uint256 limit = available > GAS_AFTER_DELIVERY ? available - GAS_AFTER_DELIVERY : 0;
        uint256 most = MAX_REVERT_DATA;
        assembly ("memory-safe") {
            success := call(limit, receiver, 0, add(data, 0x20), mload(data), 0, 0)
            let size := returndatasize()
            if gt(size, most) { size := most }
            reason := mload(0x40)
            mstore(reason, size)
            returndatacopy(add(reason, 0x20), 0, size)
            // Rounded up to a whole word, so that memory stays aligned.
            mstore(0x40, and(add(add(reason, size), 0x3f), not(0x1f)))
        }
    }

    function _stateOf(Transmission memory t) private pure returns (TransmissionState) {
        if (t.transmitter == address(0)) return TransmissionState.NOT_ATTEMPTED;
        if (t.invalidReceiver) return TransmissionState.INVALID_RECEIVER;
        return t.success ? TransmissionState.SUCCEEDED : TransmissionState.FAILED;
    }
}
