// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {CREDarkPool} from "../../src/CREDarkPool.sol";
import {PoolHandler} from "./PoolHandler.sol";

/// @notice What holds after any sequence of calls.
contract PoolInvariantTest is Test {
    PoolHandler internal handler;
    CREDarkPool internal pool;

    function setUp() public {
        handler = new PoolHandler();
        pool = handler.thePool();
        bytes4[] memory calls = new bytes4[](8);
        calls[0] = PoolHandler.deposit.selector;
        calls[1] = PoolHandler.requestWithdrawal.selector;
        calls[2] = PoolHandler.closeRound.selector;
        calls[3] = PoolHandler.payOut.selector;
        calls[4] = PoolHandler.wait.selector;
        calls[5] = PoolHandler.exit.selector;
        calls[6] = PoolHandler.reclaim.selector;
        calls[7] = PoolHandler.give.selector;
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), calls));
    }

    function invariant_holdsWhatCameInLessWhatWentOut_n150() public view {
        for (uint32 asset = 0; asset < 2; ++asset) {
            uint256 came = handler.deposited(asset) + handler.given(asset);
            uint256 went = handler.paidOut(asset) + handler.exitedWith(asset) + handler.takenBack(asset);
            assertEq(handler.theToken(asset).balanceOf(address(pool)), came - went);
        }
    }

    function invariant_coversWhatOwnersCanTake_n150() public view {
        for (uint32 asset = 0; asset < 2; ++asset) {
            assertGe(handler.theToken(asset).balanceOf(address(pool)), handler.owed(asset));
        }
    }

    function invariant_versionCountsRounds() public view {
        assertEq(pool.tableVersion(), handler.rounds());
    }

    function invariant_consumedNeverExceedsTheCount() public view {
        assertEq(pool.consumed(), handler.lastConsumed());
        assertLe(pool.consumed(), pool.count());
    }
}
