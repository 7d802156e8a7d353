// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {OperationLog} from "../../src/libraries/OperationLog.sol";

contract OperationLogHarness {
    using OperationLog for OperationLog.Log;

    OperationLog.Log internal log;

    function append(OperationLog.Operation calldata operation) external returns (uint64) {
        return log.append(operation);
    }

    function consume(uint64 count, bytes32 value) external {
        log.consume(count, value);
    }

    function contains(uint64 index, OperationLog.Operation calldata operation) external view returns (bool) {
        return log.contains(index, operation);
    }

    function value(uint64 count) external view returns (bytes32) {
        return log.values[count];
    }

    function count() external view returns (uint64) {
        return log.count;
    }

    function consumed() external view returns (uint64) {
        return log.consumed;
    }
}

contract OperationLogTest is Test {
    OperationLogHarness internal log;

    function setUp() public {
        log = new OperationLogHarness();
    }

    /// @dev The chain computed from its definition.
    function _chain(OperationLog.Operation[] memory operations) private pure returns (bytes32 acc) {
        for (uint256 i = 0; i < operations.length; ++i) {
            OperationLog.Operation memory o = operations[i];
            acc = keccak256(abi.encode(acc, o.kind, uint64(i), o.who, o.token, o.amount, o.ciphertextHash));
        }
    }

    function _appendAll(OperationLog.Operation[] memory operations) private {
        for (uint256 i = 0; i < operations.length; ++i) {
            assertEq(log.append(operations[i]), i);
        }
    }

    function test_startsAtZero() public view {
        assertEq(log.count(), 0);
        assertEq(log.value(0), 0);
    }

    function testFuzz_isTheChainOfItsOperations(OperationLog.Operation[] memory operations) public {
        _appendAll(operations);
        assertEq(log.count(), operations.length);
        assertEq(log.value(uint64(operations.length)), _chain(operations));
    }

    function testFuzz_containsExactlyWhatWasAppended(
        OperationLog.Operation[3] memory operations,
        OperationLog.Operation memory other,
        uint64 index
    ) public {
        for (uint256 i = 0; i < 3; ++i) {
            log.append(operations[i]);
            assertTrue(log.contains(uint64(i), operations[i]));
        }
        index = uint64(bound(index, 0, 10));
        bool same = index < 3 && keccak256(abi.encode(other)) == keccak256(abi.encode(operations[index]));
        assertEq(log.contains(index, other), same);
    }

    function testFuzz_consumesOnlyForward(OperationLog.Operation[4] memory operations, uint64 a, uint64 b) public {
        for (uint256 i = 0; i < 4; ++i) {
            log.append(operations[i]);
        }
        (a, b) = (uint64(bound(a, 0, 4)), uint64(bound(b, 0, 6)));
        log.consume(a, log.value(a));
        bytes32 value = log.value(b);
        bool allowed = b >= a && b <= 4;
        if (!allowed) vm.expectRevert(abi.encodeWithSelector(OperationLog.CountOutOfRange.selector, a, 4, b));
        log.consume(b, value);
        assertEq(log.consumed(), allowed ? b : a);
    }

    function testFuzz_refusesAnyOtherValue(OperationLog.Operation memory operation, bytes32 wrong) public {
        log.append(operation);
        bytes32 right = log.value(1);
        vm.assume(wrong != right);
        vm.expectRevert(abi.encodeWithSelector(OperationLog.AccumulatorMismatch.selector, 1, right, wrong));
        log.consume(1, wrong);
    }
}
