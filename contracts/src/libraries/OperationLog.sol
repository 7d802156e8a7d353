// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title The accumulator over deposits and withdrawal requests
/// @notice A hash chain whose every value is kept, so that a round can name the value that it consumed even when newer
/// operations have arrived meanwhile: nobody delays a round by adding one.
///
/// *Layout*: value(0) = 0 and value(i+1) = keccak256(abi.encode(value(i), uint8 kind, uint64 i, address who,
/// address token, uint256 amount, bytes32 keccak256(ciphertext))).
///
/// *Source*: the row *accumulator* of the encodings specification.
library OperationLog {
    /// @notice A deposit.
    uint8 internal constant DEPOSIT = 1;
    /// @notice A withdrawal request; token and amount are zero.
    uint8 internal constant WITHDRAWAL_REQUEST = 2;

    /// @param count Operations so far.
    /// @param consumed Operations that the current balance table contains.
    /// @param values Value after so many operations.
    struct Log {
        uint64 count;
        uint64 consumed;
        mapping(uint64 count => bytes32 value) values;
    }

    /// @notice One operation, without its place in the chain.
    struct Operation {
        uint8 kind;
        address who;
        address token;
        uint256 amount;
        bytes32 ciphertextHash;
    }

    /// @notice The count is less than what was consumed before, or more than there is.
    error CountOutOfRange(uint64 consumed, uint64 count, uint64 found);
    /// @notice The value was never this chain's value at that count: an operation was invented, left out or taken twice.
    error AccumulatorMismatch(uint64 count, bytes32 expected, bytes32 found);

    /// @notice Adds an operation and returns its index.
    function append(Log storage self, Operation memory operation) internal returns (uint64 index) {
        index = self.count;
        self.values[index + 1] = step(self.values[index], index, operation);
        self.count = index + 1;
    }

    /// @notice Marks the first `count` operations as contained in the table, if `value` proves knowledge of them.
    function consume(Log storage self, uint64 count, bytes32 value) internal {
        if (count < self.consumed || count > self.count) revert CountOutOfRange(self.consumed, self.count, count);
        bytes32 expected = self.values[count];
        if (value != expected) revert AccumulatorMismatch(count, expected, value);
        self.consumed = count;
    }

    /// @notice Whether the operation with this index is `operation`.
    function contains(Log storage self, uint64 index, Operation memory operation) internal view returns (bool) {
        return index < self.count && self.values[index + 1] == step(self.values[index], index, operation);
    }

    /// @notice The value after `operation`.
    function step(bytes32 value, uint64 index, Operation memory operation) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                value, operation.kind, index, operation.who, operation.token, operation.amount, operation.ciphertextHash
            )
        );
    }
}
