// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {CREDarkPool} from "../../src/CREDarkPool.sol";
import {RequestBook} from "../../src/libraries/RequestBook.sol";
import {PoolFixture} from "../fixtures/PoolFixture.sol";

/// @notice Requests that are taken back, and several at once.
contract PoolCancelsTest is PoolFixture {
    uint8 internal constant CANCELLED = 5;

    bytes32 internal id;
    uint64 internal deadline;

    function setUp() public override {
        super.setUp();
        deadline = uint64(block.timestamp) + 600;
        id = _requestCollateral("request", 600);
    }

    function _cancel(address who, bytes32 request) private {
        vm.prank(who);
        pool.cancel(request);
    }

    function _status(bytes32 request) private view returns (uint8 status) {
        (,, status,) = pool.request(request);
    }

    function test_cancels() public {
        vm.warp(deadline - 1);
        vm.expectEmit(address(pool));
        emit CREDarkPool.DarkPoolFill(id, false, block.timestamp);
        _cancel(reserve, id);
        assertEq(_status(id), CANCELLED);
    }

    function test_whoRequestedCancelsAndSoDoesTheReserve() public {
        vm.prank(reserve);
        pool.approveOperator(maker, true);
        vm.startPrank(maker);
        bytes32 first = pool.requestCollateral("first", deadline, SEALED);
        bytes32 second = pool.requestCollateral("second", deadline, SEALED);
        vm.stopPrank();
        _cancel(maker, first);
        _cancel(reserve, second);
        assertEq(_status(first), CANCELLED);
        assertEq(_status(second), CANCELLED);
        vm.expectRevert(abi.encodeWithSelector(CREDarkPool.NotReserve.selector, reserve, maker));
        _cancel(maker, id);
    }

    /// @dev From the deadline on a round may have been computed; a cancellation then would make it void.
    function test_refusesCancellationFromTheDeadlineOn_n146() public {
        vm.warp(deadline);
        bytes memory reason = abi.encodeWithSelector(RequestBook.DeadlineReached.selector, deadline, deadline);
        vm.expectRevert(reason);
        _cancel(reserve, id);
        _close(_settling(id, true));
        vm.expectRevert(abi.encodeWithSelector(RequestBook.RequestNotPending.selector, id, 2));
        _cancel(reserve, id);
    }

    function test_refusesFillAndExpiryAfterCancellation_n120() public {
        _cancel(reserve, id);
        bytes memory reason = abi.encodeWithSelector(RequestBook.RequestNotPending.selector, id, CANCELLED);
        vm.warp(deadline);
        _refuse(_settling(id, true), reason);
        _refuse(_settling(id, false), reason);
        vm.warp(deadline + FILL_WINDOW + 1);
        vm.expectRevert(reason);
        pool.expire(id);
        vm.expectRevert(reason);
        _cancel(reserve, id);
    }

    function test_refusesCancellationOfNothing_n146() public {
        bytes32 unknown = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(RequestBook.RequestNotPending.selector, unknown, 0));
        _cancel(reserve, unknown);
    }

    function test_severalPendingEndEachInItsWay() public {
        bytes32 filled = _requestCollateral("filled", 600);
        bytes32 failed = _requestCollateral("failed", 600);
        bytes32 expired = _requestCollateral("expired", 600);
        _cancel(reserve, id);
        vm.warp(deadline);
        _close(_settling(filled, true));
        assertEq(_status(failed), 1);
        _close(_settling(failed, false));
        vm.warp(deadline + FILL_WINDOW + 1);
        pool.expire(expired);
        assertEq(_status(id), CANCELLED);
        assertEq(_status(filled), 2);
        assertEq(_status(failed), 3);
        assertEq(_status(expired), 4);
        assertEq(pool.tableVersion(), 2);
    }
}
