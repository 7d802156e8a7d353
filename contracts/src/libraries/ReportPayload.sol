// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title The payload of a report
/// @notice Reads the words behind the forwarder's header. The length is exact for the kind and unused high bits are
/// zero, so that one meaning has one encoding.
///
/// *Layout*: 32-byte big-endian words.
///
///   word   field          kind 1, solvency    kind 2, round     kind 3, enclave   kind 4, payout
///   ----   ------------   ----------------    ---------------   ---------------   --------------
///    0     chain
///    1     receiver
///    2     kind
///    3     epoch
///    4     sequence
///    5     validUntil
///    6     attestation
///    7                    status              requestId         measurement       withdrawalId
///    8                    blockNumber         success           boxKey            to
///    9                    blockTime           version           signer            token
///   10                    headerHash          previous          expiry            amount
///   11                    envelopeDigest      headerHash                          version
///   12                                        count
///   13                                        accumulator
///   14                                        priceBlock
///   15                                        source
///   16                                        priceDigest
///
///   bytes                 384                 544               352               384
///
/// *Source*: the report table of the encodings specification.
library ReportPayload {
    /// @notice Kind of a solvency report, which is also its report id.
    uint8 internal constant SOLVENCY = 1;
    /// @notice Kind of a round report, which is also its report id.
    uint8 internal constant ROUND = 2;
    /// @notice Kind of an enclave report, which is also its report id.
    uint8 internal constant ENCLAVE = 3;
    /// @notice Kind of a payout report, which is also its report id.
    uint8 internal constant PAYOUT = 4;

    uint256 private constant WORD = 32;
    uint256 private constant BINDING_LENGTH = 7 * WORD;
    uint256 private constant SOLVENCY_LENGTH = BINDING_LENGTH + 5 * WORD;
    uint256 private constant ROUND_LENGTH = BINDING_LENGTH + 10 * WORD;
    uint256 private constant ENCLAVE_LENGTH = BINDING_LENGTH + 4 * WORD;
    uint256 private constant PAYOUT_LENGTH = BINDING_LENGTH + 5 * WORD;

    /// @notice What ties a payload to one place and one moment.
    /// @param chain Chain id.
    /// @param receiver Contract that may act on it.
    /// @param kind What the remaining words mean.
    /// @param epoch Epoch of the vault.
    /// @param sequence Strictly increasing per receiver and kind.
    /// @param validUntil Last Unix second at which it may be delivered.
    /// @param attestation Digest of the enclave's evidence.
    struct Binding {
        uint256 chain;
        address receiver;
        uint8 kind;
        uint64 epoch;
        uint64 sequence;
        uint64 validUntil;
        bytes32 attestation;
    }

    /// @notice Words 7 to 11 of kind 1.
    struct Solvency {
        uint8 status;
        uint64 blockNumber;
        uint64 blockTime;
        bytes32 headerHash;
        bytes32 envelopeDigest;
    }

    /// @notice Words 7 to 16 of kind 2.
    struct Round {
        bytes32 requestId;
        bool success;
        uint64 version;
        bytes32 previous;
        bytes32 headerHash;
        uint64 count;
        bytes32 accumulator;
        uint64 priceBlock;
        address source;
        bytes32 priceDigest;
    }

    /// @notice Words 7 to 10 of kind 3.
    struct Enclave {
        bytes32 measurement;
        bytes32 boxKey;
        address signer;
        uint64 expiry;
    }

    /// @notice Words 7 to 11 of kind 4.
    struct Payout {
        bytes32 withdrawalId;
        address to;
        address token;
        uint256 amount;
        uint64 version;
    }

    /// @notice The payload is not as long as its kind says.
    error PayloadLength(uint256 expected, uint256 found);

    /// @notice A word has bits set above the width of its field.
    error WordOutOfRange(uint256 index, uint256 word);

    /// @notice Reads words 0 to 6.
    function binding(bytes calldata payload) internal pure returns (Binding memory b) {
        if (payload.length < BINDING_LENGTH) revert PayloadLength(BINDING_LENGTH, payload.length);
        b.chain = _word(payload, 0);
        b.receiver = _address(payload, 1);
        b.kind = uint8(_bounded(payload, 2, type(uint8).max));
        b.epoch = _uint64(payload, 3);
        b.sequence = _uint64(payload, 4);
        b.validUntil = _uint64(payload, 5);
        b.attestation = _bytes32(payload, 6);
    }

    /// @notice Reads the body of a solvency report.
    function solvency(bytes calldata payload) internal pure returns (Solvency memory s) {
        _checkLength(payload, SOLVENCY_LENGTH);
        s.status = uint8(_bounded(payload, 7, type(uint8).max));
        s.blockNumber = _uint64(payload, 8);
        s.blockTime = _uint64(payload, 9);
        s.headerHash = _bytes32(payload, 10);
        s.envelopeDigest = _bytes32(payload, 11);
    }

    /// @notice Reads the body of a round report.
    function round(bytes calldata payload) internal pure returns (Round memory r) {
        _checkLength(payload, ROUND_LENGTH);
        r.requestId = _bytes32(payload, 7);
        r.success = _bounded(payload, 8, 1) == 1;
        r.version = _uint64(payload, 9);
        r.previous = _bytes32(payload, 10);
        r.headerHash = _bytes32(payload, 11);
        r.count = _uint64(payload, 12);
        r.accumulator = _bytes32(payload, 13);
        r.priceBlock = _uint64(payload, 14);
        r.source = _address(payload, 15);
        r.priceDigest = _bytes32(payload, 16);
    }

    /// @notice Reads the body of an enclave report.
    function enclave(bytes calldata payload) internal pure returns (Enclave memory e) {
        _checkLength(payload, ENCLAVE_LENGTH);
        e.measurement = _bytes32(payload, 7);
        e.boxKey = _bytes32(payload, 8);
        e.signer = _address(payload, 9);
        e.expiry = _uint64(payload, 10);
    }

    /// @notice Reads the body of a payout report.
    function payout(bytes calldata payload) internal pure returns (Payout memory p) {
        _checkLength(payload, PAYOUT_LENGTH);
        p.withdrawalId = _bytes32(payload, 7);
        p.to = _address(payload, 8);
        p.token = _address(payload, 9);
        p.amount = _word(payload, 10);
        p.version = _uint64(payload, 11);
    }

    function _checkLength(bytes calldata payload, uint256 expected) private pure {
        if (payload.length != expected) revert PayloadLength(expected, payload.length);
    }

    function _bytes32(bytes calldata payload, uint256 index) private pure returns (bytes32) {
        return bytes32(payload[index * WORD:(index + 1) * WORD]);
    }

    function _word(bytes calldata payload, uint256 index) private pure returns (uint256) {
        return uint256(_bytes32(payload, index));
    }

    function _bounded(bytes calldata payload, uint256 index, uint256 max) private pure returns (uint256 word) {
        word = _word(payload, index);
        if (word > max) revert WordOutOfRange(index, word);
    }

    function _uint64(bytes calldata payload, uint256 index) private pure returns (uint64) {
        return uint64(_bounded(payload, index, type(uint64).max));
    }

    function _address(bytes calldata payload, uint256 index) private pure returns (address) {
        return address(uint160(_bounded(payload, index, type(uint160).max)));
    }
}
