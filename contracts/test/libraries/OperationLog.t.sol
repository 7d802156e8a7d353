// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {OperationLog} from "../../src/libraries/OperationLog.sol";

contract OperationLogHarness {
    using OperationLog for OperationLog.Log;

    OperationLog.Log internal _log;

    function append(OperationLog.Operation calldata operation) external returns (uint64) {
        return _log.append(operation);
    }

    function consume(uint64 upTo, bytes32 accumulator) external {
        _log.consume(upTo, accumulator);
    }

    function contains(uint64 index, OperationLog.Operation calldata operation) external view returns (bool) {
        return _log.contains(index, operation);
    }

    function value(uint64 after_) external view returns (bytes32) {
        return _log.values[after_];
    }

    function count() external view returns (uint64) {
        return _log.count;
    }

    function consumed() external view returns (uint64) {
        return _log.consumed;
    }
}

contract OperationLogTest is Test {
    OperationLogHarness internal chain;

    function setUp() public {
        chain = new OperationLogHarness();
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
            assertEq(chain.append(operations[i]), i);
        }
    }

    function test_startsAtZero() public view {
        assertEq(chain.count(), 0);
        assertEq(chain.value(0), 0);
    }

    function testFuzz_isTheChainOfItsOperations(OperationLog.Operation[] memory operations) public {
        _appendAll(operations);
        assertEq(chain.count(), operations.length);
        assertEq(chain.value(uint64(operations.length)), _chain(operations));
    }

    function testFuzz_containsExactlyWhatWasAppended(
        OperationLog.Operation[3] memory operations,
        OperationLog.Operation memory other,
        uint64 index
    ) public {
        for (uint256 i = 0; i < 3; ++i) {
            chain.append(operations[i]);
            assertTrue(chain.contains(uint64(i), operations[i]));
        }
        index = uint64(bound(index, 0, 10));
        bool same = index < 3 && keccak256(abi.encode(other)) == keccak256(abi.encode(operations[index]));
        assertEq(chain.contains(index, other), same);
    }

    function testFuzz_consumesOnlyForward(OperationLog.Operation[4] memory operations, uint64 a, uint64 b) public {
        for (uint256 i = 0; i < 4; ++i) {
            chain.append(operations[i]);
        }
        (a, b) = (uint64(bound(a, 0, 4)), uint64(bound(b, 0, 6)));
        chain.consume(a, chain.value(a));
        bytes32 value = chain.value(b);
        bool allowed = b >= a && b <= 4;
        if (!allowed) vm.expectRevert(abi.encodeWithSelector(OperationLog.CountOutOfRange.selector, a, 4, b));
        chain.consume(b, value);
        assertEq(chain.consumed(), allowed ? b : a);
    }

    function testFuzz_refusesAnyOtherValue(OperationLog.Operation memory operation, bytes32 wrong) public {
        chain.append(operation);
        bytes32 right = chain.value(1);
        vm.assume(wrong != right);
        vm.expectRevert(abi.encodeWithSelector(OperationLog.AccumulatorMismatch.selector, 1, right, wrong));
        chain.consume(1, wrong);
    }
}
