// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {KeystoneForwarder} from "@chainlink/contracts/src/v0.8/keystone/KeystoneForwarder.sol";
import {IReceiver as IKeystoneReceiver} from "@chainlink/contracts/src/v0.8/keystone/interfaces/IReceiver.sol";

import {QuorumForwarder} from "../src/QuorumForwarder.sol";
import {ReserveAttestation} from "../src/ReserveAttestation.sol";
import {IReceiver} from "../src/interfaces/IReceiver.sol";
import {ReportPayload} from "../src/libraries/ReportPayload.sol";
import {Ingress} from "../src/types/Ingress.sol";
import {RecordingReceiver} from "./fixtures/Receivers.sol";
import {ReportFixture} from "./fixtures/ReportFixture.sol";
import {SignerFixture} from "./fixtures/SignerFixture.sol";

/// @notice The forwarder of this project and Chainlink's, side by side.
contract KeystoneForwarderTest is ReportFixture, SignerFixture {
    bytes10 internal constant NAME = "0123456789";
    uint8 internal constant F = 1;

    QuorumForwarder internal ours;
    KeystoneForwarder internal theirs;

    function setUp() public {
        ours = new QuorumForwarder(address(this));
        theirs = new KeystoneForwarder();
        ours.setConfig(DON, CONFIG_VERSION, F, _signers(4));
        theirs.setConfig(DON, CONFIG_VERSION, F, _signers(4));
    }

    function test_sameInterface() public pure {
        assertEq(QuorumForwarder.report.selector, KeystoneForwarder.report.selector);
        assertEq(QuorumForwarder.setConfig.selector, KeystoneForwarder.setConfig.selector);
        assertEq(QuorumForwarder.clearConfig.selector, KeystoneForwarder.clearConfig.selector);
        assertEq(QuorumForwarder.getTransmissionId.selector, KeystoneForwarder.getTransmissionId.selector);
        assertEq(QuorumForwarder.getTransmissionInfo.selector, KeystoneForwarder.getTransmissionInfo.selector);
        assertEq(QuorumForwarder.getTransmitter.selector, KeystoneForwarder.getTransmitter.selector);
        assertEq(QuorumForwarder.ReportProcessed.selector, KeystoneForwarder.ReportProcessed.selector);
        assertEq(QuorumForwarder.ConfigSet.selector, KeystoneForwarder.ConfigSet.selector);
        assertEq(type(IReceiver).interfaceId, type(IKeystoneReceiver).interfaceId);
        assertEq(type(IReceiver).interfaceId, bytes4(0x805f2132));
    }

    function test_sameBytesThroughBoth() public {
        RecordingReceiver a = new RecordingReceiver();
        RecordingReceiver b = new RecordingReceiver();
        bytes memory raw = _rawReport(_metadata(NAME, 1), hex"0102030405");
        bytes memory context = _context(ours.configDigest(DON, CONFIG_VERSION));
        bytes[] memory signatures = _signAll(F + 1, _digest(raw, context));
        ours.report(address(a), raw, context, signatures);
        theirs.report(address(b), raw, context, signatures);
        assertEq(a.metadata(), b.metadata());
        assertEq(a.report(), b.report());
        assertEq(
            ours.getTransmissionId(address(a), EXECUTION, 0x0001),
            theirs.getTransmissionId(address(a), EXECUTION, 0x0001)
        );
    }

    function test_attestationBehindTheirs() public {
        Ingress memory ingress = Ingress(address(theirs), WORKFLOW_ID, WORKFLOW_OWNER, NAME, EPOCH, address(0));
        ReserveAttestation attestation = new ReserveAttestation(ingress, "agent", 1 hours);
        ReportPayload.Solvency memory s =
            ReportPayload.Solvency(1, uint64(block.number), uint64(block.timestamp), "header", "envelope");
        bytes memory payload = bytes.concat(_words(_binding(address(attestation), 1, 1)), _words(s));
        bytes memory raw = _rawReport(_metadata(NAME, 1), payload);
        bytes memory context = _context(ours.configDigest(DON, CONFIG_VERSION));
        theirs.report(address(attestation), raw, context, _signAll(F + 1, _digest(raw, context)));
        assertTrue(attestation.isSolvent());
    }
}
