// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {CREDarkPool} from "../src/CREDarkPool.sol";
import {QuorumForwarder} from "../src/QuorumForwarder.sol";
import {OperationLog} from "../src/libraries/OperationLog.sol";
import {ReportPayload} from "../src/libraries/ReportPayload.sol";
import {PoolConfig} from "../src/types/PoolConfig.sol";
import {PoolFixture} from "./fixtures/PoolFixture.sol";
import {SignerFixture} from "./fixtures/SignerFixture.sol";

/// @notice Signed reports through the forwarder into the pool.
contract EndToEndTest is PoolFixture, SignerFixture {
    uint8 internal constant F = 2;

    QuorumForwarder internal quorum;

    function setUp() public override {
        super.setUp();
        quorum = new QuorumForwarder(address(this));
        quorum.setConfig(DON, CONFIG_VERSION, F, _signers(7));
        PoolConfig memory c = _config(address(usd), address(btc));
        c.ingress.forwarder = address(quorum);
        pool = new CREDarkPool(c);
        _fund(usd);
    }

    function _call(bytes memory metadata, bytes memory payload) private view returns (bytes memory) {
        bytes memory raw = abi.encodePacked(
            uint8(1), keccak256(payload), uint32(block.number), DON, CONFIG_VERSION, metadata, payload
        );
        bytes memory context = _context(quorum.configDigest(DON, CONFIG_VERSION));
        bytes[] memory signatures = _signAll(F + 1, _digest(raw, context));
        return abi.encodeCall(quorum.report, (address(pool), raw, context, signatures));
    }

    function _roundCall(ReportPayload.Round memory r) private returns (bytes memory) {
        return _call(_metadata(ROUND_NAME, 2), _payload(r));
    }

    function _payoutCall(ReportPayload.Payout memory p) private returns (bytes memory) {
        return _call(_metadata(pool.PAYOUT_WORKFLOW_NAME(), 4), _payload(p));
    }

    function _send(bytes memory data) private {
        (bool ok,) = address(quorum).call(data);
        assertTrue(ok);
    }

    /// @dev Sends with the least gas that the forwarder does not refuse, in steps of a thousand.
    function _sendWithLeastGas(bytes memory data) private returns (uint256 gas) {
        for (gas = 150_000; gas < 1_000_000; gas += 1000) {
            vm.cool(address(quorum));
            vm.cool(address(pool));
            vm.cool(address(usd));
            (bool ok,) = address(quorum).call{gas: gas}(data);
            if (ok) return gas;
        }
        fail();
    }

    function test_roundThenPayout() public {
        _deposit(USD, 1000, "deposit");
        bytes32 id = _requestWithdrawal("withdrawal");
        _send(_roundCall(_idle()));
        assertEq(pool.tableVersion(), 1);
        _send(_payoutCall(ReportPayload.Payout(id, maker, address(usd), 400, 1)));
        assertEq(usd.balanceOf(address(pool)), 600);
    }

    function test_receiversReasonReachesTheOperator() public {
        _deposit(USD, 1000, "deposit");
        ReportPayload.Round memory r = _idle();
        r.accumulator = 0;
        bytes memory data = _roundCall(r);
        bytes memory reason =
            abi.encodeWithSelector(OperationLog.AccumulatorMismatch.selector, 1, pool.history(1), bytes32(0));
        vm.expectEmit(true, false, false, true, address(quorum));
        emit QuorumForwarder.DeliveryReverted(address(pool), 0, reason);
        _send(data);
        assertEq(pool.tableVersion(), 0);
    }

    /// @dev An estimate that only asks whether the forwarder's call succeeds is then never too small for the delivery.
    function test_gasThatTheForwarderAcceptsIsEnoughForARound() public {
        _deposit(USD, 1, "deposit");
        bytes32 id = _requestCollateral("request", 600);
        vm.warp(block.timestamp + 600);
        _sendWithLeastGas(_roundCall(_settling(id, true)));
        assertEq(pool.tableVersion(), 1);
    }

    function test_gasThatTheForwarderAcceptsIsEnoughForAPayout() public {
        _deposit(USD, 1000, "deposit");
        bytes32 id = _requestWithdrawal("withdrawal");
        _send(_roundCall(_idle()));
        _sendWithLeastGas(_payoutCall(ReportPayload.Payout(id, makeAddr("payee"), address(usd), 400, 1)));
        assertEq(usd.balanceOf(address(pool)), 600);
    }
}
