// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {CREDarkPool} from "../../src/CREDarkPool.sol";
import {RequestBook} from "../../src/libraries/RequestBook.sol";
import {ReportPayload} from "../../src/libraries/ReportPayload.sol";
import {Permit} from "../../src/types/Permit.sol";
import {PoolConfig} from "../../src/types/PoolConfig.sol";
import {PoolFixture} from "../fixtures/PoolFixture.sol";

/// @notice What a pause stops, and what it does not.
contract PoolPausesTest is PoolFixture {
    uint64 internal constant GUARDIAN = 2;

    address internal immutable guardian = makeAddr("guardian");

    AccessManager internal manager;

    function setUp() public override {
        manager = new AccessManager(address(this));
        authority = address(manager);
        super.setUp();
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (pool.pause.selector, pool.unpause.selector);
        manager.setTargetFunctionRole(address(pool), selectors, GUARDIAN);
        manager.grantRole(GUARDIAN, guardian, 0);
    }

    function _pause() private {
        vm.prank(guardian);
        pool.pause();
    }

    function test_onlyTheRolePausesAndResumes() public {
        address[3] memory others = [maker, reserve, address(this)];
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, others[i]);
            vm.startPrank(others[i]);
            vm.expectRevert(reason);
            pool.pause();
            vm.expectRevert(reason);
            pool.unpause();
            vm.stopPrank();
        }
        vm.expectEmit(address(pool));
        emit Pausable.Paused(guardian);
        _pause();
        vm.prank(guardian);
        pool.unpause();
        assertFalse(pool.paused());
    }

    function test_withoutAnAuthorityNobodyPauses() public {
        address[2] memory nobodies = [address(0), makeAddr("account without code")];
        for (uint256 i = 0; i < nobodies.length; ++i) {
            PoolConfig memory c = _config(address(usd), address(btc));
            c.authority = nobodies[i];
            pool = new CREDarkPool(c);
            vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, guardian));
            vm.prank(guardian);
            pool.pause();
        }
    }

    function test_refusesNewBusinessWhilePaused_n150() public {
        _pause();
        bytes4 reason = Pausable.EnforcedPause.selector;
        vm.expectRevert(reason);
        _deposit(USD, 1, "deposit");
        vm.expectRevert(reason);
        vm.prank(maker);
        pool.depositWithPermit(USD, 1, "deposit", SEALED, Permit(0, 27, 0, 0));
        vm.expectRevert(reason);
        _requestCollateral("request", 600);
        vm.prank(guardian);
        pool.unpause();
        _deposit(USD, 1, "deposit");
    }

    function test_theWayOutStaysOpenWhilePaused_n150() public {
        _deposit(USD, 1000, "deposit");
        bytes32 settled = _requestCollateral("settled", 600);
        bytes32 cancelled = _requestCollateral("cancelled", 900);
        _pause();
        bytes32 id = _requestWithdrawal("withdrawal");
        vm.prank(reserve);
        pool.cancel(cancelled);
        vm.warp(block.timestamp + 600);
        _close(_settling(settled, true));
        _pay(ReportPayload.Payout(id, maker, address(usd), 400, 1));
        assertEq(usd.balanceOf(address(pool)), 600);
    }

    /// @dev The one door for sealed instructions, with it for those that take a reservation back.
    function test_sealedSubmissionsAreTakenWhilePaused_n150() public {
        _pause();
        bytes32 id = keccak256(abi.encode(block.chainid, address(pool), maker, bytes32("order")));
        vm.expectEmit(address(pool));
        emit CREDarkPool.StandingOrderSubmitted(id, maker, "order", SEALED);
        vm.prank(maker);
        assertEq(pool.submitStandingOrder("order", SEALED), id);
        assertEq(pool.ciphertextHash(id), keccak256(SEALED));
    }

    function test_depositsAreTakenBackWhilePaused_n150() public {
        _deposit(USD, 1000, "deposit");
        _pause();
        _abandon();
        vm.prank(maker);
        pool.reclaim(0, address(usd), 1000, keccak256(SEALED));
        assertEq(usd.balanceOf(address(pool)), 0);
    }

    function test_requestsExpireWhilePaused_n150() public {
        bytes32 id = _requestCollateral("request", 600);
        _pause();
        vm.warp(block.timestamp + 600 + FILL_WINDOW + 1);
        pool.expire(id);
        (,, uint8 status,) = pool.request(id);
        assertEq(status, uint8(RequestBook.Status.Expired));
    }
}
