// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IVaultEpoch} from "./interfaces/IVaultEpoch.sol";
import {CanonicalSignature} from "./libraries/CanonicalSignature.sol";
import {Committee} from "./types/Committee.sol";

/// @title Which committee holds the vault
/// @notice The committee, its epoch, the vault's master public key and the root over the verification keys. The first
/// committee is given at deployment; every later one is installed by n−F signatures of the one before it. Nobody owns
/// this contract.
///
/// Why n−F: two sets of n−F have n−2F ≥ F+1 members in common, so that two conflicting handovers need a participant
/// which is not faulty to sign both. F+1 signatures could install either.
///
/// *Layout*: a committee's digest is keccak256(abi.encode(uint64 epoch, uint8 F, bytes32 keccak256 of the addresses as
/// words, bytes32 master key, bytes32 verification root)); signed is keccak256(abi.encode(bytes32
/// keccak256("ccc/v1/handover"), uint256 chain, address registry, bytes32 digest now, bytes32 digest next, uint64 last
/// valid second)).
///
/// *Security*: the signed digest holds the digest of the committee that hands over, and with it the epoch: no handover
/// counts twice, in another epoch, at another registry or on another chain. Honest members may sign two handovers of one
/// epoch, the second when the first has come to nothing: whoever delivers first decides. The last valid second bounds how
/// long the first can still be delivered; a second one is to be signed only after it.
contract VaultRegistry is IVaultEpoch {
    /// @notice Most participants of a committee.
    uint256 public constant MAX_PARTICIPANTS = 255;

    bytes32 private constant HANDOVER = keccak256("ccc/v1/handover");

    /// @inheritdoc IVaultEpoch
    uint64 public epoch;
    /// @notice Participants of the current committee, n.
    uint8 public participants;
    /// @notice Of them, how many may be faulty, F.
    uint8 public faults;
    /// @notice Digest of the current committee.
    bytes32 public committeeDigest;
    /// @notice Master public key of the vault.
    bytes32 public masterKey;
    /// @notice Root over the verification keys of the current committee.
    bytes32 public verificationRoot;

    /// @notice Number of a participant in the committee of an epoch; zero for everybody else.
    mapping(uint64 epoch => mapping(address participant => uint256 number)) public numberOf;

    /// @notice A committee was installed.
    event CommitteeInstalled(
        uint64 indexed epoch,
        bytes32 indexed digest,
        uint8 faults,
        address[] participants,
        bytes32 masterKey,
        bytes32 verificationRoot
    );

    /// @notice No faulty participant would be tolerated.
    error FaultsMustBePositive();
    /// @notice More participants than `MAX_PARTICIPANTS`.
    error TooManyParticipants(uint256 max, uint256 found);
    /// @notice Fewer participants than 3F+1.
    error TooFewParticipants(uint256 min, uint256 found);
    /// @notice A participant's address is zero.
    error ZeroParticipant(uint256 number);
    /// @notice An address stands for two participants.
    error RepeatedParticipant(address participant);
    /// @notice The master key or the verification root is zero.
    error ZeroKey();
    /// @notice The committee is not of the epoch that follows.
    error WrongEpoch(uint256 expected, uint64 found);
    /// @notice There are not exactly n−F signatures.
    error SignatureCount(uint256 expected, uint256 found);
    /// @notice Somebody signed who is not in the current committee.
    error NotParticipant(address signer);
    /// @notice The handover's last valid second has passed.
    error HandoverExpired(uint64 validUntil, uint256 timestamp);
    /// @notice Two signatures are of one participant.
    error RepeatedSigner(address signer);

    constructor(Committee memory first) {
        _check(first);
        _install(first, digestOf(first));
    }

    /// @notice Hands the vault to the committee of the next epoch. Anyone may call it.
    /// @param next The new committee.
    /// @param validUntil Last Unix second at which it may be delivered.
    /// @param signatures Exactly n−F of r ‖ s ‖ v over `handoverDigest`, by distinct participants of the current one.
    function handOver(Committee calldata next, uint64 validUntil, bytes[] calldata signatures) external {
        if (block.timestamp > validUntil) revert HandoverExpired(validUntil, block.timestamp);
        uint256 expected = uint256(epoch) + 1;
        if (next.epoch != expected) revert WrongEpoch(expected, next.epoch);
        _check(next);
        bytes32 digest = digestOf(next);
        _checkSignatures(_handoverDigest(digest, validUntil), signatures);
        _install(next, digest);
    }

    /// @notice What participants of the current committee sign to hand over to `next` until `validUntil`.
    function handoverDigest(Committee calldata next, uint64 validUntil) external view returns (bytes32) {
        return _handoverDigest(digestOf(next), validUntil);
    }

    /// @notice Signatures that a handover needs now: n−F.
    function quorum() public view returns (uint256) {
        return uint256(participants) - faults;
    }

    /// @notice Digest of a committee.
    function digestOf(Committee memory c) public pure returns (bytes32) {
        bytes32 addresses = keccak256(abi.encodePacked(c.participants));
        return keccak256(abi.encode(c.epoch, c.faults, addresses, c.masterKey, c.verificationRoot));
    }

    function _handoverDigest(bytes32 next, uint64 validUntil) private view returns (bytes32) {
        return keccak256(abi.encode(HANDOVER, block.chainid, address(this), committeeDigest, next, validUntil));
    }

    function _check(Committee memory c) private pure {
        uint256 count = c.participants.length;
        uint256 min = 3 * uint256(c.faults) + 1;
        if (c.faults == 0) revert FaultsMustBePositive();
        if (count > MAX_PARTICIPANTS) revert TooManyParticipants(MAX_PARTICIPANTS, count);
        if (count < min) revert TooFewParticipants(min, count);
        if (c.masterKey == 0 || c.verificationRoot == 0) revert ZeroKey();
    }

    function _install(Committee memory c, bytes32 digest) private {
        uint256 count = c.participants.length;
        for (uint256 i = 0; i < count; ++i) {
            _register(c.epoch, c.participants[i], i + 1);
        }
        epoch = c.epoch;
        // Fits: at most MAX_PARTICIPANTS.
        // forge-lint: disable-next-line(unsafe-typecast)
        participants = uint8(count);
        faults = c.faults;
        committeeDigest = digest;
        masterKey = c.masterKey;
        verificationRoot = c.verificationRoot;
        emit CommitteeInstalled(c.epoch, digest, c.faults, c.participants, c.masterKey, c.verificationRoot);
    }

    function _register(uint64 newEpoch, address participant, uint256 number) private {
        if (participant == address(0)) revert ZeroParticipant(number);
        if (numberOf[newEpoch][participant] != 0) revert RepeatedParticipant(participant);
        numberOf[newEpoch][participant] = number;
    }

    function _checkSignatures(bytes32 digest, bytes[] calldata signatures) private view {
        uint256 expected = quorum();
        if (signatures.length != expected) revert SignatureCount(expected, signatures.length);
        uint64 current = epoch;
        uint256 seen = 0;
        for (uint256 i = 0; i < expected; ++i) {
            address signer = CanonicalSignature.recover(digest, signatures[i]);
            uint256 number = numberOf[current][signer];
            if (number == 0) revert NotParticipant(signer);
            // forge-lint: disable-next-line(incorrect-shift)
            uint256 bit = 1 << number;
            if (seen & bit != 0) revert RepeatedSigner(signer);
            seen |= bit;
        }
    }
}
