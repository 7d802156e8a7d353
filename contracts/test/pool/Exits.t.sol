// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {CREDarkPool} from "../../src/CREDarkPool.sol";
import {AssetList} from "../../src/libraries/AssetList.sol";
import {ReportPayload} from "../../src/libraries/ReportPayload.sol";
import {TableExit} from "../../src/libraries/TableExit.sol";
import {PoolFixture} from "../fixtures/PoolFixture.sol";
import {ReentrantToken} from "../fixtures/Tokens.sol";

/// @notice Leaving without anyone's help, and what it ends.
contract PoolExitsTest is PoolFixture {
    uint8 internal constant TIER = 10;
    uint32 internal constant INDEX = 77;
    bytes32 internal constant SALT = keccak256("salt");

    bytes internal row;
    bytes internal header;
    bytes32[] internal path;

    function setUp() public override {
        super.setUp();
        _deposit(USD, 1000, "deposit");
        path = _siblings(TIER);
        _install(_row(maker, USD, 1000, 0));
    }

    /// @dev Closes a round whose table has this row.
    function _install(bytes memory row_) private {
        row = row_;
        bytes32 root = _rootOver(_leaf(SALT, row), INDEX, path);
        ReportPayload.Round memory r = _idle();
        header = _header(address(pool), r.version, r.previous, TIER, root);
        r.headerHash = keccak256(header);
        _close(r);
    }

    function _exit(address who) private {
        vm.prank(who);
        pool.exit(header, INDEX, row, SALT, path);
    }

    function _refuseExit(bytes memory reason) private {
        vm.expectRevert(reason);
        _exit(maker);
    }

    function _reclaim(address who, uint64 index, uint256 amount) private {
        vm.prank(who);
        pool.reclaim(index, address(usd), amount, keccak256(SEALED));
    }

    function test_exitPaysAndHalts() public {
        _abandon();
        uint256 before = usd.balanceOf(maker);
        vm.expectEmit(address(pool));
        emit CREDarkPool.RoundsHalted(1, block.timestamp);
        vm.expectEmit(address(pool));
        emit CREDarkPool.Exited(maker, USD, 1000);
        _exit(maker);
        assertEq(usd.balanceOf(maker) - before, 1000);
        assertTrue(pool.halted());
        assertTrue(pool.exited(maker, USD));
    }

    function test_exitPaysWhatIsReservedToo() public {
        _install(abi.encodePacked(maker, USD, uint128(900), uint64(900), uint64(4), uint16(0), bytes6(0)));
        _abandon();
        uint256 before = usd.balanceOf(maker);
        _exit(maker);
        assertEq(usd.balanceOf(maker) - before, 900);
    }

    function test_exitOnlyAfterTheDelay() public {
        uint256 opens = uint256(pool.lastRound()) + EXIT_DELAY;
        vm.warp(opens - 1);
        _refuseExit(abi.encodeWithSelector(CREDarkPool.ExitNotOpen.selector, opens, opens - 1));
        assertFalse(pool.halted());
    }

    function test_aRoundClosesTheExit() public {
        _abandon();
        _close(_idle());
        _refuseExit(
            abi.encodeWithSelector(CREDarkPool.ExitNotOpen.selector, block.timestamp + EXIT_DELAY, block.timestamp)
        );
    }

    function test_exitOncePerAccountAndAsset() public {
        _abandon();
        _exit(maker);
        _refuseExit(abi.encodeWithSelector(CREDarkPool.AlreadyExited.selector, maker, USD));
    }

    function test_onlyTheAccountExits() public {
        _abandon();
        vm.expectRevert(abi.encodeWithSelector(CREDarkPool.NotAccount.selector, maker, reserve));
        _exit(reserve);
    }

    function test_refusesHeaderOfAnOlderVersion() public {
        _close(_idle());
        _abandon();
        _refuseExit(abi.encodeWithSelector(TableExit.HeaderHashMismatch.selector, pool.headerHash(), keccak256(header)));
    }

    function test_refusesFrozenRow() public {
        _install(_row(maker, USD, 1000, 0x0501));
        _abandon();
        _refuseExit(abi.encodeWithSelector(TableExit.RowRefused.selector, 0x0501));
        assertFalse(pool.halted());
    }

    function test_refusesRowOfNoAsset() public {
        _install(_row(maker, 0xffffffff, 1000, 0));
        _abandon();
        _refuseExit(abi.encodeWithSelector(AssetList.UnknownAsset.selector, 2, 0xffffffff));
    }

    function test_refusesRowOfNothing() public {
        _install(_row(maker, USD, 0, 0));
        _abandon();
        _refuseExit(abi.encodeWithSelector(AssetList.ZeroAmount.selector));
    }

    function test_refusesAlteredPath() public {
        _abandon();
        bytes32 root = _rootOver(_leaf(SALT, row), INDEX, path);
        path[3] = keccak256("other");
        bytes32 found = _rootOver(_leaf(SALT, row), INDEX, path);
        _refuseExit(abi.encodeWithSelector(TableExit.StateRootMismatch.selector, root, found));
    }

    function test_refusesRoundAfterAnExit() public {
        _abandon();
        _exit(maker);
        _refuse(_idle(), abi.encodeWithSelector(CREDarkPool.Halted.selector));
    }

    function test_refusesNewBusinessAfterAnExit_n150() public {
        bytes32 id = _requestCollateral("pending", 600);
        _abandon();
        _exit(maker);
        vm.expectRevert(CREDarkPool.Halted.selector);
        _deposit(USD, 1, "late");
        vm.expectRevert(CREDarkPool.Halted.selector);
        _requestWithdrawal("late");
        vm.expectRevert(CREDarkPool.Halted.selector);
        pool.submitStandingOrder("late", SEALED);
        vm.expectRevert(CREDarkPool.Halted.selector);
        _requestCollateral("late", 600);
        pool.expire(id);
    }

    function test_refusesReentrantExit_n145() public {
        ReentrantToken token = new ReentrantToken();
        pool = new CREDarkPool(_config(address(token), address(btc)));
        _fund(token);
        _deposit(USD, 2000, "deposit");
        _install(_row(maker, USD, 1000, 0));
        _abandon();
        token.arm(address(pool), abi.encodeCall(pool.exit, (header, INDEX, row, SALT, path)));
        _refuseExit(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
    }

    // Deposits that no round consumed

    function test_reclaimsWhatNoRoundConsumed_n150() public {
        _deposit(USD, 50, "late");
        _abandon();
        uint256 before = usd.balanceOf(maker);
        vm.expectEmit(address(pool));
        emit CREDarkPool.DepositReclaimed(1, maker, address(usd), 50);
        _reclaim(maker, 1, 50);
        assertEq(usd.balanceOf(maker) - before, 50);
        assertTrue(pool.halted());
        assertTrue(pool.reclaimed(1));
        _exit(maker);
        assertEq(usd.balanceOf(address(pool)), 0);
    }

    function test_reclaimsWhenThereNeverWasARound_n150() public {
        pool = new CREDarkPool(_config(address(usd), address(btc)));
        vm.prank(maker);
        usd.approve(address(pool), 70);
        _deposit(USD, 70, "first");
        _abandon();
        _reclaim(maker, 0, 70);
        assertEq(usd.balanceOf(address(pool)), 0);
    }

    function test_refusesReclaimBeforeTheDelay() public {
        _deposit(USD, 50, "late");
        uint256 opens = uint256(pool.lastRound()) + EXIT_DELAY;
        vm.expectRevert(abi.encodeWithSelector(CREDarkPool.ExitNotOpen.selector, opens, block.timestamp));
        _reclaim(maker, 1, 50);
    }

    function test_refusesReclaimOfAConsumedDeposit() public {
        _abandon();
        vm.expectRevert(abi.encodeWithSelector(CREDarkPool.DepositConsumed.selector, 0, 1));
        _reclaim(maker, 0, 1000);
    }

    function test_refusesReclaimOfAnothersOrAnotherDeposit() public {
        _deposit(USD, 50, "late");
        _requestWithdrawal("withdrawal");
        _abandon();
        bytes memory unknown = abi.encodeWithSelector(CREDarkPool.UnknownDeposit.selector, 1);
        vm.expectRevert(unknown);
        _reclaim(reserve, 1, 50);
        vm.expectRevert(unknown);
        _reclaim(maker, 1, 51);
        vm.expectRevert(abi.encodeWithSelector(CREDarkPool.UnknownDeposit.selector, 2));
        _reclaim(maker, 2, 0);
        vm.expectRevert(abi.encodeWithSelector(CREDarkPool.UnknownDeposit.selector, 3));
        _reclaim(maker, 3, 50);
    }

    function test_reclaimsOnce() public {
        _deposit(USD, 50, "late");
        _abandon();
        _reclaim(maker, 1, 50);
        vm.expectRevert(abi.encodeWithSelector(CREDarkPool.AlreadyReclaimed.selector, 1));
        _reclaim(maker, 1, 50);
    }
}
