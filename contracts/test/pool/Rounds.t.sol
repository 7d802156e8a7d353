// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {CREDarkPool} from "../../src/CREDarkPool.sol";
import {ReportReceiver} from "../../src/ReportReceiver.sol";
import {OperationLog} from "../../src/libraries/OperationLog.sol";
import {ReportPayload} from "../../src/libraries/ReportPayload.sol";
import {PoolConfig} from "../../src/types/PoolConfig.sol";
import {PoolFixture} from "../fixtures/PoolFixture.sol";

/// @notice How the table's header moves.
contract PoolRoundsTest is PoolFixture {
    function test_startsWithoutATable() public view {
        assertEq(pool.tableVersion(), 0);
        assertEq(pool.headerHash(), 0);
        assertEq(pool.lastRound(), block.timestamp);
        assertFalse(pool.halted());
    }

    function test_firstIdleRoundInstallsVersionOne() public {
        ReportPayload.Round memory r = _idle();
        vm.warp(block.timestamp + 5);
        vm.expectEmit(address(pool));
        emit CREDarkPool.RoundClosed(1, r.headerHash);
        _close(r);
        assertEq(pool.tableVersion(), 1);
        assertEq(pool.headerHash(), r.headerHash);
        assertEq(pool.lastRound(), block.timestamp);
    }

    function _closeFrom(bytes32 id, bytes10 name) private {
        bytes memory payload = _payload(_idle());
        vm.prank(forwarder);
        pool.onReport(abi.encodePacked(id, name, WORKFLOW_OWNER, uint16(2)), payload);
    }

    function test_aPoolWithoutAWorkflowIdTakesTwo() public {
        PoolConfig memory c = _config(address(usd), address(btc));
        c.ingress.workflowId = 0;
        pool = new CREDarkPool(c);
        _closeFrom("first version", ROUND_NAME);
        _closeFrom("second version", ROUND_NAME);
        assertEq(pool.tableVersion(), 2);
    }

    function test_aPoolWithoutAWorkflowNameChecksThatOfPayoutsNeither() public {
        PoolConfig memory c = _config(address(usd), address(btc));
        c.ingress.workflowName = 0;
        pool = new CREDarkPool(c);
        _fund(usd);
        _deposit(USD, 10, "deposit");
        bytes32 id = _requestWithdrawal("withdrawal");
        _closeFrom(WORKFLOW_ID, "any");
        bytes memory payload = _payload(ReportPayload.Payout(id, maker, address(usd), 10, 1));
        vm.prank(forwarder);
        pool.onReport(_metadata("other", 4), payload);
        assertEq(pool.custody(address(usd)), 0);
    }

    function test_roundsFollowEachOther() public {
        for (uint64 version = 1; version < 5; ++version) {
            _deposit(USD, version, bytes32(uint256(version)));
            _close(_idle());
            assertEq(pool.tableVersion(), version);
            assertEq(pool.consumed(), version);
        }
    }

    function test_newerDepositsDoNotDelayARound() public {
        _deposit(USD, 1, "first");
        ReportPayload.Round memory r = _idle();
        _deposit(USD, 1, "one unit more");
        _close(r);
        assertEq(pool.consumed(), 1);
        assertEq(pool.count(), 2);
    }

    function test_refusesSkippedAndRepeatedVersion_n147() public {
        _close(_idle());
        ReportPayload.Round memory r = _idle();
        r.version = 3;
        _refuse(r, abi.encodeWithSelector(CREDarkPool.VersionMismatch.selector, 2, 3));
        r.version = 1;
        _refuse(r, abi.encodeWithSelector(CREDarkPool.VersionMismatch.selector, 2, 1));
        r.version = type(uint64).max;
        _refuse(r, abi.encodeWithSelector(CREDarkPool.VersionMismatch.selector, 2, r.version));
    }

    function test_refusesOtherParent_n147() public {
        _close(_idle());
        ReportPayload.Round memory r = _idle();
        r.previous = keccak256("other");
        _refuse(r, abi.encodeWithSelector(CREDarkPool.PreviousHeaderMismatch.selector, pool.headerHash(), r.previous));
    }

    function test_refusesParentOfTheFirstVersion_n147() public {
        ReportPayload.Round memory r = _idle();
        r.previous = keccak256("other");
        _refuse(r, abi.encodeWithSelector(CREDarkPool.PreviousHeaderMismatch.selector, 0, r.previous));
    }

    function test_refusesSecondRoundFromTheSameParent_n147() public {
        ReportPayload.Round memory r = _idle();
        _close(r);
        r.headerHash = keccak256("rival");
        _refuse(r, abi.encodeWithSelector(CREDarkPool.VersionMismatch.selector, 2, 1));
    }

    function test_refusesHeaderHashZero() public {
        ReportPayload.Round memory r = _idle();
        r.headerHash = 0;
        _refuse(r, abi.encodeWithSelector(CREDarkPool.ZeroHeaderHash.selector));
    }

    // The accumulator

    function _refuseAccumulator(ReportPayload.Round memory r) private {
        _refuse(
            r,
            abi.encodeWithSelector(
                OperationLog.AccumulatorMismatch.selector, r.count, pool.history(r.count), r.accumulator
            )
        );
    }

    function _step(bytes32 acc, uint64 index, uint256 amount) private view returns (bytes32) {
        return keccak256(abi.encode(acc, uint8(1), index, maker, address(usd), amount, keccak256(SEALED)));
    }

    function test_refusesInventedDeposit() public {
        _deposit(USD, 100, "real");
        ReportPayload.Round memory r = _idle();
        r.accumulator = _step(r.accumulator, 1, 5000);
        _refuseAccumulator(r);
        r.count = 2;
        _refuse(r, abi.encodeWithSelector(OperationLog.CountOutOfRange.selector, 0, 1, 2));
    }

    function test_refusesDepositOfAnotherAmount() public {
        _deposit(USD, 100, "real");
        ReportPayload.Round memory r = _idle();
        r.accumulator = _step(0, 0, 101);
        _refuseAccumulator(r);
    }

    function test_refusesOmittedDeposit() public {
        _deposit(USD, 100, "omitted");
        _deposit(USD, 200, "taken");
        ReportPayload.Round memory r = _idle();
        r.accumulator = _step(0, 0, 200);
        _refuseAccumulator(r);
        r.count = 1;
        _refuseAccumulator(r);
    }

    function test_refusesDepositCountedTwice() public {
        _deposit(USD, 100, "once");
        _deposit(USD, 200, "next");
        ReportPayload.Round memory r = _idle();
        r.accumulator = _step(_step(0, 0, 100), 1, 100);
        _refuseAccumulator(r);
    }

    function test_refusesDepositConsumedBefore() public {
        _deposit(USD, 100, "once");
        _close(_idle());
        ReportPayload.Round memory r = _idle();
        r.count = 0;
        r.accumulator = 0;
        _refuse(r, abi.encodeWithSelector(OperationLog.CountOutOfRange.selector, 1, 1, 0));
    }

    function testFuzz_acceptsOnlyItsOwnHistory(uint64 count, bytes32 accumulator, bool own) public {
        for (uint256 i = 0; i < 4; ++i) {
            _deposit(USD, i + 1, bytes32(i));
        }
        ReportPayload.Round memory r = _idle();
        r.count = uint64(bound(count, 0, 4));
        r.accumulator = own ? pool.history(r.count) : accumulator;
        if (r.accumulator == pool.history(r.count)) _close(r);
        else _refuseAccumulator(r);
    }

    // Price and request

    function test_refusesPriceBlockInFuture() public {
        ReportPayload.Round memory r = _idle();
        r.priceBlock = uint64(block.number + 1);
        _refuse(r, abi.encodeWithSelector(CREDarkPool.PriceBlockInFuture.selector, block.number, block.number + 1));
    }

    function test_refusesOtherPriceSource() public {
        ReportPayload.Round memory r = _idle();
        r.source = maker;
        _refuse(r, abi.encodeWithSelector(CREDarkPool.PriceSourceMismatch.selector, feed, maker));
    }

    function test_refusesSuccessOfAnIdleRound() public {
        _refuse(_settling(0, true), abi.encodeWithSelector(CREDarkPool.IdleRoundSuccess.selector));
    }

    // The door

    function test_refusesKindsOfOtherReceivers() public {
        bytes memory payload = bytes.concat(_words(_binding(address(pool), 1, 1)), new bytes(160));
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.UnexpectedKind.selector, 1));
        vm.prank(forwarder);
        pool.onReport(_metadata(ROUND_NAME, 1), payload);
    }

    function test_refusesRoundUnderThePayoutsName_n145() public {
        bytes memory payload = _payload(_idle());
        bytes10 name = pool.PAYOUT_WORKFLOW_NAME();
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.InvalidWorkflowName.selector, ROUND_NAME, name));
        vm.prank(forwarder);
        pool.onReport(_metadata(name, 2), payload);
    }

    function test_refusesRoundFromAnyOtherSender_n145() public {
        bytes memory payload = _payload(_idle());
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.InvalidSender.selector, forwarder, maker));
        vm.prank(maker);
        pool.onReport(_metadata(ROUND_NAME, 2), payload);
    }

    function test_roundAndPayoutSequencesAreApart() public {
        sequence = 100;
        _close(_idle());
        assertEq(pool.lastSequence(2), 101);
        assertEq(pool.lastSequence(4), 0);
    }

    function test_roundFitsTheForwardersLeastGas() public {
        _deposit(USD, 1, "deposit");
        bytes32 id = _requestCollateral("request", 600);
        vm.warp(block.timestamp + 600);
        bytes memory payload = _payload(_settling(id, true));
        vm.cool(address(pool));
        vm.prank(forwarder);
        pool.onReport{gas: 130_000}(_metadata(ROUND_NAME, 2), payload);
        assertEq(pool.tableVersion(), 1);
    }
}
