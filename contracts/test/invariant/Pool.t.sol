// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {CREDarkPool} from "../../src/CREDarkPool.sol";
import {PoolHandler} from "./PoolHandler.sol";
import {RequestDriver} from "./Requests.sol";

/// @notice What holds after any sequence of calls.
contract PoolInvariantTest is Test {
    PoolHandler internal handler;
    CREDarkPool internal pool;

    function setUp() public {
        handler = new PoolHandler();
        pool = handler.thePool();
        bytes4[] memory calls = new bytes4[](13);
        calls[0] = PoolHandler.deposit.selector;
        calls[1] = PoolHandler.requestWithdrawal.selector;
        calls[2] = PoolHandler.closeRound.selector;
        calls[3] = PoolHandler.payOut.selector;
        calls[4] = PoolHandler.wait.selector;
        calls[5] = PoolHandler.exit.selector;
        calls[6] = PoolHandler.reclaim.selector;
        calls[7] = PoolHandler.give.selector;
        calls[8] = RequestDriver.request.selector;
        calls[9] = RequestDriver.cancel.selector;
        calls[10] = RequestDriver.expire.selector;
        calls[11] = PoolHandler.pauseOrResume.selector;
        calls[12] = PoolHandler.settleAgain.selector;
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

    function invariant_custodyCountsAllButGifts_n150() public view {
        for (uint32 asset = 0; asset < 2; ++asset) {
            uint256 went = handler.paidOut(asset) + handler.exitedWith(asset) + handler.takenBack(asset);
            assertEq(pool.custody(address(handler.theToken(asset))), handler.deposited(asset) - went);
        }
    }

    function invariant_accumulatorIsThatOfTheEvents() public view {
        assertEq(pool.count(), handler.replayedCount());
        assertEq(pool.history(pool.count()), handler.replayed());
    }

    function invariant_aRequestEndsOnce_n146() public view {
        for (uint256 i = 0; i < handler.requestCount(); ++i) {
            bytes32 id = handler.requestAt(i);
            (,, uint8 status,) = pool.request(id);
            assertLe(handler.ended(id), 1);
            assertEq(status, handler.ended(id) == 0 ? 1 : handler.endedAs(id));
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
