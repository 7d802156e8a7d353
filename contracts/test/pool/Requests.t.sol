// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {CREDarkPool} from "../../src/CREDarkPool.sol";
import {RequestBook} from "../../src/libraries/RequestBook.sol";
import {PoolFixture} from "../fixtures/PoolFixture.sol";

/// @notice The life of a collateral request.
contract PoolRequestsTest is PoolFixture {
    uint8 internal constant PENDING = 1;
    uint8 internal constant FILLED = 2;
    uint8 internal constant FAILED = 3;
    uint8 internal constant EXPIRED = 4;

    bytes32 internal id;
    uint64 internal deadline;

    function setUp() public override {
        super.setUp();
        deadline = uint64(block.timestamp) + 600;
        id = _requestCollateral("request", 600);
    }

    function _status() private view returns (uint8 status) {
        (,, status,) = pool.request(id);
    }

    function _refuseSettling(bool success, bytes memory reason) private {
        _refuse(_settling(id, success), reason);
    }

    function test_requestIsKept() public {
        vm.expectEmit(address(pool));
        bytes32 expected = keccak256(abi.encode(block.chainid, address(pool), reserve, bytes32("other")));
        emit CREDarkPool.CollateralRequested(expected, reserve, deadline, "other", SEALED);
        _requestCollateral("other", 600);
        (address requester, uint64 due, uint8 status, bytes32 hash) = pool.request(expected);
        assertEq(requester, reserve);
        assertEq(due, deadline);
        assertEq(status, PENDING);
        assertEq(hash, keccak256(SEALED));
    }

    function test_otherIdsAreNoRequests() public {
        bytes32 order = keccak256(abi.encode(block.chainid, address(pool), maker, bytes32("order")));
        vm.prank(maker);
        pool.submitStandingOrder("order", SEALED);
        (address requester, uint64 due, uint8 status, bytes32 hash) = pool.request(order);
        assertEq(requester, address(0));
        assertEq(due, 0);
        assertEq(status, 0);
        assertEq(hash, 0);
    }

    function test_filled() public {
        vm.warp(deadline);
        vm.expectEmit(address(pool));
        emit CREDarkPool.DarkPoolFill(id, true, block.timestamp);
        _close(_settling(id, true));
        assertEq(_status(), FILLED);
    }

    function test_failed() public {
        vm.warp(deadline + FILL_WINDOW);
        vm.expectEmit(address(pool));
        emit CREDarkPool.DarkPoolFill(id, false, block.timestamp);
        _close(_settling(id, false));
        assertEq(_status(), FAILED);
    }

    function test_expires() public {
        vm.warp(deadline + FILL_WINDOW + 1);
        vm.expectEmit(address(pool));
        emit CREDarkPool.DarkPoolFill(id, false, block.timestamp);
        vm.prank(makeAddr("anyone"));
        pool.expire(id);
        assertEq(_status(), EXPIRED);
    }

    function test_onlyReserveAndItsOperatorsRequest() public {
        bytes memory reason = abi.encodeWithSelector(CREDarkPool.NotReserve.selector, reserve, maker);
        vm.startPrank(maker);
        vm.expectRevert(reason);
        pool.requestCollateral("mine", deadline, SEALED);
        vm.expectRevert(reason);
        pool.approveOperator(maker, true);
        vm.stopPrank();
        vm.expectEmit(address(pool));
        emit CREDarkPool.OperatorApproved(maker, true);
        vm.prank(reserve);
        pool.approveOperator(maker, true);
        vm.prank(maker);
        pool.requestCollateral("mine", deadline, SEALED);
        vm.prank(reserve);
        pool.approveOperator(maker, false);
        vm.expectRevert(reason);
        vm.prank(maker);
        pool.requestCollateral("again", deadline, SEALED);
    }

    function testFuzz_deadlineLiesAheadWithinTheDelay(uint64 due) public {
        due = uint64(bound(due, block.timestamp - 10, block.timestamp + MAX_DELAY + 10));
        bool allowed = due > block.timestamp && due <= block.timestamp + MAX_DELAY;
        if (!allowed) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    RequestBook.DeadlineOutOfRange.selector, block.timestamp, block.timestamp + MAX_DELAY, due
                )
            );
        }
        vm.prank(reserve);
        pool.requestCollateral("fuzzed", due, SEALED);
    }

    function test_refusesUnknownRequest_n146() public {
        bytes32 unknown = keccak256("unknown");
        _refuse(_settling(unknown, true), abi.encodeWithSelector(RequestBook.RequestNotPending.selector, unknown, 0));
        vm.expectRevert(abi.encodeWithSelector(RequestBook.RequestNotPending.selector, unknown, 0));
        pool.expire(unknown);
    }

    function test_refusesStandingOrderAsRequest_n146() public {
        vm.prank(maker);
        bytes32 order = pool.submitStandingOrder("order", SEALED);
        _refuse(_settling(order, true), abi.encodeWithSelector(RequestBook.RequestNotPending.selector, order, 0));
    }

    function test_refusesSecondFill_n146() public {
        vm.warp(deadline);
        _close(_settling(id, true));
        bytes memory reason = abi.encodeWithSelector(RequestBook.RequestNotPending.selector, id, FILLED);
        _refuseSettling(true, reason);
        _refuseSettling(false, reason);
        vm.warp(deadline + FILL_WINDOW + 1);
        vm.expectRevert(reason);
        pool.expire(id);
    }

    function test_refusesFillAfterFailure_n146() public {
        vm.warp(deadline);
        _close(_settling(id, false));
        _refuseSettling(true, abi.encodeWithSelector(RequestBook.RequestNotPending.selector, id, FAILED));
    }

    function test_refusesFillAfterExpiry_n120() public {
        vm.warp(deadline + FILL_WINDOW + 1);
        pool.expire(id);
        _refuseSettling(true, abi.encodeWithSelector(RequestBook.RequestNotPending.selector, id, EXPIRED));
    }

    function test_refusesFillAfterTheWindow_n120() public {
        uint256 closes = uint256(deadline) + FILL_WINDOW;
        vm.warp(closes + 1);
        _refuseSettling(true, abi.encodeWithSelector(RequestBook.FillWindowClosed.selector, closes, closes + 1));
        pool.expire(id);
        assertEq(_status(), EXPIRED);
    }

    function test_refusesFillBeforeTheDeadline() public {
        vm.warp(deadline - 1);
        _refuseSettling(true, abi.encodeWithSelector(RequestBook.DeadlineNotReached.selector, deadline, deadline - 1));
    }

    function test_refusesExpiryWhileTheWindowIsOpen_n146() public {
        uint256 closes = uint256(deadline) + FILL_WINDOW;
        vm.warp(closes);
        vm.expectRevert(abi.encodeWithSelector(RequestBook.FillWindowOpen.selector, closes, closes));
        pool.expire(id);
    }

    function testFuzz_everyPendingRequestEndsOnce(uint32 wait, bool success) public {
        vm.warp(uint256(deadline) + wait);
        if (wait > FILL_WINDOW) pool.expire(id);
        else _close(_settling(id, success));
        assertEq(_status(), wait > FILL_WINDOW ? EXPIRED : success ? FILLED : FAILED);
        vm.expectRevert(abi.encodeWithSelector(RequestBook.RequestNotPending.selector, id, _status()));
        pool.expire(id);
    }
}
