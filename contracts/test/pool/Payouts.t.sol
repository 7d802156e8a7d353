// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {CREDarkPool} from "../../src/CREDarkPool.sol";
import {ReportReceiver} from "../../src/ReportReceiver.sol";
import {AssetList} from "../../src/libraries/AssetList.sol";
import {ReportPayload} from "../../src/libraries/ReportPayload.sol";
import {PoolFixture} from "../fixtures/PoolFixture.sol";
import {ReentrantToken} from "../fixtures/Tokens.sol";

/// @notice Withdrawals by report.
contract PoolPayoutsTest is PoolFixture {
    address internal immutable payee = makeAddr("payee");

    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        _deposit(USD, 1000, "deposit");
        id = _requestWithdrawal("withdrawal");
        _close(_idle());
    }

    function _valid() private view returns (ReportPayload.Payout memory) {
        return ReportPayload.Payout({withdrawalId: id, to: payee, token: address(usd), amount: 300, version: 1});
    }

    function test_pays() public {
        vm.expectEmit(address(pool));
        emit CREDarkPool.WithdrawalPaid(id, payee, address(usd), 300);
        _pay(_valid());
        assertEq(usd.balanceOf(payee), 300);
        assertEq(usd.balanceOf(address(pool)), 700);
        (,, bool paid) = pool.withdrawal(id);
        assertTrue(paid);
    }

    function test_paysAfterTheRoundsWereHalted() public {
        _deposit(USD, 5, "late");
        _abandon();
        vm.prank(maker);
        pool.reclaim(2, address(usd), 5, keccak256(SEALED));
        assertTrue(pool.halted());
        _pay(_valid());
        assertEq(usd.balanceOf(payee), 300);
    }

    function test_paysOnce() public {
        _pay(_valid());
        _refuse(_valid(), abi.encodeWithSelector(CREDarkPool.AlreadyPaid.selector, id));
    }

    function test_refusesUnknownWithdrawal() public {
        ReportPayload.Payout memory p = _valid();
        p.withdrawalId = keccak256("unknown");
        _refuse(p, abi.encodeWithSelector(CREDarkPool.UnknownWithdrawal.selector, p.withdrawalId));
    }

    function test_refusesDepositAsWithdrawal() public {
        ReportPayload.Payout memory p = _valid();
        p.withdrawalId = keccak256(abi.encode(block.chainid, address(pool), maker, bytes32("deposit")));
        _refuse(p, abi.encodeWithSelector(CREDarkPool.UnknownWithdrawal.selector, p.withdrawalId));
    }

    function test_refusesWithdrawalThatNoRoundConsumed() public {
        ReportPayload.Payout memory p = _valid();
        p.withdrawalId = _requestWithdrawal("later");
        _refuse(p, abi.encodeWithSelector(CREDarkPool.WithdrawalNotConsumed.selector, p.withdrawalId, 2, 2));
        _close(_idle());
        _pay(p);
    }

    function test_refusesVersionAhead() public {
        ReportPayload.Payout memory p = _valid();
        p.version = 2;
        _refuse(p, abi.encodeWithSelector(CREDarkPool.VersionAhead.selector, 1, 2));
    }

    function test_refusesTokenOutsideThePool() public {
        ReportPayload.Payout memory p = _valid();
        p.token = maker;
        _refuse(p, abi.encodeWithSelector(AssetList.InvalidToken.selector, maker));
    }

    function test_refusesRecipientZeroAndThePool() public {
        ReportPayload.Payout memory p = _valid();
        p.to = address(0);
        _refuse(p, abi.encodeWithSelector(CREDarkPool.InvalidRecipient.selector, address(0)));
        p.to = address(pool);
        _refuse(p, abi.encodeWithSelector(CREDarkPool.InvalidRecipient.selector, address(pool)));
    }

    function test_refusesAmountZero() public {
        ReportPayload.Payout memory p = _valid();
        p.amount = 0;
        _refuse(p, abi.encodeWithSelector(AssetList.ZeroAmount.selector));
    }

    function test_refusesPayoutUnderTheRoundsName_n145() public {
        bytes memory payload = _payload(_valid());
        bytes10 expected = pool.PAYOUT_WORKFLOW_NAME();
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.InvalidWorkflowName.selector, expected, ROUND_NAME));
        vm.prank(forwarder);
        pool.onReport(_metadata(ROUND_NAME, 4), payload);
    }

    function test_refusesReentrantPayout_n145() public {
        ReentrantToken token = new ReentrantToken();
        pool = new CREDarkPool(_config(address(token), address(btc)));
        _fund(token);
        _deposit(USD, 1000, "deposit");
        id = _requestWithdrawal("withdrawal");
        _close(_idle());
        token.arm(address(pool), abi.encodeCall(pool.reclaim, (0, address(token), 1000, keccak256(SEALED))));
        ReportPayload.Payout memory p = _valid();
        p.token = address(token);
        _refuse(p, abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
    }

    function test_payoutFitsTheForwardersLeastGas() public {
        bytes memory payload = _payload(_valid());
        bytes memory metadata = _metadata(pool.PAYOUT_WORKFLOW_NAME(), 4);
        vm.cool(address(pool));
        vm.cool(address(usd));
        vm.prank(forwarder);
        pool.onReport{gas: 130_000}(metadata, payload);
        assertEq(usd.balanceOf(payee), 300);
    }

    function testFuzz_paysAtMostWhatIsThere(uint256 amount) public {
        ReportPayload.Payout memory p = _valid();
        p.amount = bound(amount, 1, 2000);
        bytes memory payload = _payload(p);
        bytes memory metadata = _metadata(pool.PAYOUT_WORKFLOW_NAME(), 4);
        bytes memory reason = abi.encodeWithSelector(AssetList.CustodyExceeded.selector, address(usd), 1000, p.amount);
        if (p.amount > 1000) vm.expectRevert(reason);
        vm.prank(forwarder);
        pool.onReport(metadata, payload);
        assertEq(usd.balanceOf(payee), p.amount > 1000 ? 0 : p.amount);
    }
}
