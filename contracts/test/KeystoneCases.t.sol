// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {KeystoneForwarder} from "@chainlink/contracts/src/v0.8/keystone/KeystoneForwarder.sol";
import {IRouter} from "@chainlink/contracts/src/v0.8/keystone/interfaces/IRouter.sol";
import {Test} from "forge-std/Test.sol";

import {QuorumForwarder} from "../src/QuorumForwarder.sol";
import {CanonicalSignature} from "../src/libraries/CanonicalSignature.sol";
import {ReportHeader} from "../src/libraries/ReportHeader.sol";
import {DeafReceiver, RecordingReceiver, SpendingReceiver} from "./fixtures/Receivers.sol";

/// @notice The cases of KeystoneForwarder's own tests, with their parameters, put to both forwarders: the same result,
/// the same error, the same record. What differs is at the end, and in docs/spec/report.md.
contract KeystoneCasesTest is Test {
    uint32 internal constant DON = 0x01020304;
    uint32 internal constant VERSION = 1;
    uint8 internal constant F = 1;
    uint256 internal constant ORACLES = 31;
    bytes32 internal constant EXECUTION = "my_execution_id";
    bytes2 internal constant REPORT_ID = 0x0001;
    address internal constant TRANSMITTER = address(50);

    QuorumForwarder internal ours;
    KeystoneForwarder internal theirs;
    RecordingReceiver internal receiver;
    bytes internal raw;
    bytes internal context;
    bytes[] internal signatures;

    function setUp() public {
        ours = new QuorumForwarder(address(this));
        theirs = new KeystoneForwarder();
        receiver = new RecordingReceiver();
        _configure(VERSION);
        raw = _rawReport(DON, VERSION, EXECUTION);
        context = _contextOf(VERSION);
        signatures = _signAll(raw, F + 1);
    }

    function _configure(uint32 version) private {
        ours.setConfig(DON, version, F, _oracles(ORACLES));
        theirs.setConfig(DON, version, F, _oracles(ORACLES));
    }

    /// @dev Private keys 1 to 31.
    function _oracles(uint256 count) private pure returns (address[] memory oracles) {
        oracles = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            oracles[i] = vm.addr(i + 1);
        }
    }

    function _rawReport(uint32 don, uint32 version, bytes32 execution) private pure returns (bytes memory) {
        bytes[] memory inner = new bytes[](2);
        (inner[0], inner[1]) = (hex"010203", hex"aabbccdd");
        bytes memory metadata =
            abi.encodePacked(bytes32("my_id"), bytes10(hex"000000000000deadbeef"), address(51), REPORT_ID);
        return abi.encodePacked(uint8(1), execution, uint32(0), don, version, metadata, abi.encode(inner));
    }

    /// @dev Theirs does not look at the context, so both get the one that ours wants.
    function _contextOf(uint32 version) private view returns (bytes memory) {
        return abi.encodePacked(ours.configDigest(DON, version), bytes32(0), bytes32(0));
    }

    function _sign(uint256 key, bytes memory report) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(keccak256(report), context)));
        return abi.encodePacked(r, s, v - 27);
    }

    function _signAll(bytes memory report, uint256 count) private view returns (bytes[] memory all) {
        all = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            all[i] = _sign(i + 1, report);
        }
    }

    function _send(address forwarder, address to, bytes memory report, uint256 gas)
        private
        returns (bool ok, bytes memory data)
    {
        vm.prank(TRANSMITTER);
        return forwarder.call{gas: gas}(abi.encodeCall(QuorumForwarder.report, (to, report, context, signatures)));
    }

    /// @dev Sends the same bytes to both; the outcome is the same on both sides.
    function _both(address to, bytes memory report, uint256 gas) private returns (bool, bytes memory) {
        (bool okOurs, bytes memory dataOurs) = _send(address(ours), to, report, gas);
        (bool okTheirs, bytes memory dataTheirs) = _send(address(theirs), to, report, gas);
        assertEq(okOurs, okTheirs);
        assertEq(dataOurs, dataTheirs);
        _assertSameRecord(to);
        return (okOurs, dataOurs);
    }

    function _assertSameRecord(address to) private view {
        QuorumForwarder.TransmissionInfo memory a = ours.getTransmissionInfo(to, EXECUTION, REPORT_ID);
        IRouter.TransmissionInfo memory b = theirs.getTransmissionInfo(to, EXECUTION, REPORT_ID);
        assertEq(a.transmissionId, b.transmissionId);
        assertEq(uint8(a.state), uint8(b.state));
        assertEq(a.transmitter, b.transmitter);
        assertEq(a.invalidReceiver, b.invalidReceiver);
        assertEq(a.success, b.success);
    }

    function _refuse(address to, bytes memory report, bytes memory reason) private {
        (bool ok, bytes memory data) = _both(to, report, 600_000);
        assertFalse(ok);
        assertEq(data, reason);
    }

    function _refuse(bytes memory reason) private {
        _refuse(address(receiver), raw, reason);
    }

    function _deliver(address to, uint256 gas, IRouter.TransmissionState expected) private {
        (bool ok,) = _both(to, raw, gas);
        assertTrue(ok);
        assertEq(uint8(theirs.getTransmissionInfo(to, EXECUTION, REPORT_ID).state), uint8(expected));
    }

    // Refusals

    function test_unknownDon() public {
        uint64 id = (uint64(111) << 32) | VERSION;
        bytes memory report = _rawReport(111, VERSION, EXECUTION);
        _refuse(address(receiver), report, abi.encodeWithSelector(KeystoneForwarder.InvalidConfig.selector, id));
    }

    function test_unknownConfigVersion() public {
        uint64 id = (uint64(DON) << 32) | (VERSION + 1);
        bytes memory report = _rawReport(DON, VERSION + 1, EXECUTION);
        _refuse(address(receiver), report, abi.encodeWithSelector(KeystoneForwarder.InvalidConfig.selector, id));
    }

    function test_malformedReport() public {
        bytes memory reason = abi.encodeWithSelector(KeystoneForwarder.InvalidReport.selector);
        _refuse(address(receiver), abi.encode(bytes32(raw)), reason);
    }

    function test_tooFewAndTooManySignatures() public {
        uint256[2] memory wrong = [uint256(F), F + 2];
        for (uint256 i = 0; i < 2; ++i) {
            signatures = new bytes[](wrong[i]);
            _refuse(abi.encodeWithSelector(KeystoneForwarder.InvalidSignatureCount.selector, F + 1, wrong[i]));
        }
    }

    function test_invalidSignature() public {
        signatures[1] = abi.encode(1234);
        _refuse(abi.encodeWithSelector(KeystoneForwarder.InvalidSignature.selector, signatures[1]));
    }

    function test_invalidSigner() public {
        signatures[1] = _sign(999, raw);
        _refuse(abi.encodeWithSelector(KeystoneForwarder.InvalidSigner.selector, vm.addr(999)));
    }

    function test_duplicateSignatures() public {
        signatures[1] = signatures[0];
        _refuse(abi.encodeWithSelector(KeystoneForwarder.DuplicateSigner.selector, vm.addr(1)));
    }

    function test_secondDelivery() public {
        _deliver(address(receiver), 400_000, IRouter.TransmissionState.SUCCEEDED);
        bytes32 id = theirs.getTransmissionId(address(receiver), EXECUTION, REPORT_ID);
        _refuse(abi.encodeWithSelector(IRouter.AlreadyAttempted.selector, id));
    }

    function test_secondDeliveryToNoContract() public {
        _deliver(address(404), 400_000, IRouter.TransmissionState.INVALID_RECEIVER);
        bytes32 id = theirs.getTransmissionId(address(404), EXECUTION, REPORT_ID);
        _refuse(address(404), raw, abi.encodeWithSelector(IRouter.AlreadyAttempted.selector, id));
    }

    function test_insufficientGas() public {
        bytes32 id = theirs.getTransmissionId(address(receiver), EXECUTION, REPORT_ID);
        (bool ok, bytes memory data) = _both(address(receiver), raw, 150_000);
        assertFalse(ok);
        assertEq(data, abi.encodeWithSelector(IRouter.InsufficientGasForRouting.selector, id));
    }

    // Deliveries

    function test_delivers() public {
        _assertSameRecord(address(receiver));
        for (uint256 i = 0; i < 2; ++i) {
            address forwarder = i == 0 ? address(ours) : address(theirs);
            vm.expectEmit(forwarder);
            emit KeystoneForwarder.ReportProcessed(address(receiver), EXECUTION, REPORT_ID, true);
            _send(forwarder, address(receiver), raw, 600_000);
        }
        _assertSameRecord(address(receiver));
        assertEq(receiver.deliveries(), 2);
        assertEq(receiver.metadata().length, 64);
    }

    function test_retryWithMoreGas() public {
        SpendingReceiver spending = new SpendingReceiver(300_000);
        _deliver(address(spending), 300_000, IRouter.TransmissionState.FAILED);
        _deliver(address(spending), 600_000, IRouter.TransmissionState.SUCCEEDED);
    }

    function test_noContract() public {
        _deliver(address(404), 600_000, IRouter.TransmissionState.INVALID_RECEIVER);
    }

    function test_contractWithoutTheInterface() public {
        _deliver(address(ours), 600_000, IRouter.TransmissionState.INVALID_RECEIVER);
    }

    function test_receiverThatSpendsEverythingInTheProbe() public {
        _deliver(address(new DeafReceiver()), 600_000, IRouter.TransmissionState.SUCCEEDED);
    }

    function test_receiverThatSpendsEverything() public {
        SpendingReceiver spending = new SpendingReceiver(type(uint256).max);
        _deliver(address(spending), 500_000, IRouter.TransmissionState.FAILED);
    }

    function test_configVersions() public {
        _configure(VERSION + 1);
        _deliver(address(receiver), 600_000, IRouter.TransmissionState.SUCCEEDED);
        ours.clearConfig(DON, VERSION);
        theirs.clearConfig(DON, VERSION);
        uint64 id = (uint64(DON) << 32) | VERSION;
        _refuse(abi.encodeWithSelector(KeystoneForwarder.InvalidConfig.selector, id));
        bytes memory report = _rawReport(DON, VERSION + 1, "my_next_execution_id");
        context = _contextOf(VERSION + 1);
        signatures = _signAll(report, F + 1);
        (bool ok,) = _both(address(receiver), report, 600_000);
        assertTrue(ok);
        assertEq(receiver.deliveries(), 4);
    }

    // Configuration

    function _refuseConfig(uint8 f, address[] memory oracles, bytes memory reason) private {
        vm.expectRevert(reason);
        ours.setConfig(DON, VERSION, f, oracles);
        vm.expectRevert(reason);
        theirs.setConfig(DON, VERSION, f, oracles);
    }

    function test_configurations() public {
        address[] memory oracles = _oracles(ORACLES);
        _refuseConfig(0, oracles, abi.encodeWithSelector(KeystoneForwarder.FaultToleranceMustBePositive.selector));
        bytes memory reason = abi.encodeWithSelector(KeystoneForwarder.InsufficientSigners.selector, 1, 4);
        _refuseConfig(F, _oracles(1), reason);
        reason = abi.encodeWithSelector(KeystoneForwarder.ExcessSigners.selector, 64, 31);
        _refuseConfig(F, _oracles(64), reason);
        oracles[1] = oracles[0];
        _refuseConfig(F, oracles, abi.encodeWithSelector(KeystoneForwarder.DuplicateSigner.selector, oracles[0]));
        oracles[1] = address(0);
        _refuseConfig(F, oracles, abi.encodeWithSelector(KeystoneForwarder.InvalidSigner.selector, address(0)));
    }

    function test_signersThatAreRemovedNoLongerSign() public {
        ours.setConfig(DON, VERSION, F, _oracles(16));
        theirs.setConfig(DON, VERSION, F, _oracles(16));
        context = _contextOf(VERSION);
        signatures = _signAll(raw, F + 1);
        signatures[1] = _sign(17, raw);
        _refuse(abi.encodeWithSelector(KeystoneForwarder.InvalidSigner.selector, vm.addr(17)));
    }

    // Where ours is stricter

    function _onlyTheirs(bytes memory report, bytes memory reason) private {
        (bool ok, bytes memory data) = _send(address(ours), address(receiver), report, 600_000);
        assertFalse(ok);
        assertEq(data, reason);
        (ok,) = _send(address(theirs), address(receiver), report, 600_000);
        assertTrue(ok);
    }

    function test_onlyTheirsTakesAnyContext() public {
        context = new bytes(96);
        signatures = _signAll(raw, F + 1);
        bytes32 digest = ours.configDigest(DON, VERSION);
        _onlyTheirs(raw, abi.encodeWithSelector(QuorumForwarder.ConfigDigestMismatch.selector, digest, bytes32(0)));
    }

    function test_onlyTheirsTakesAContextOfAnyLength() public {
        context = "";
        signatures = _signAll(raw, F + 1);
        _onlyTheirs(raw, abi.encodeWithSelector(QuorumForwarder.InvalidContextLength.selector, 96, 0));
    }

    function test_onlyTheirsTakesAnyHeaderVersion() public {
        raw[0] = 0x02;
        signatures = _signAll(raw, F + 1);
        _onlyTheirs(raw, abi.encodeWithSelector(ReportHeader.InvalidReportVersion.selector, 1, 2));
    }

    function test_onlyTheirsTakesAHighS() public {
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(2, keccak256(abi.encodePacked(keccak256(raw), context)));
        signatures[1] = abi.encodePacked(r, bytes32(order - uint256(s)), uint8(28 - v));
        _onlyTheirs(raw, abi.encodeWithSelector(CanonicalSignature.InvalidSignature.selector, signatures[1]));
    }

    /// @dev Both refuse what recovers to nobody; ours names the signature, theirs the address zero.
    function test_errorForASignatureOfNobodyDiffers() public {
        signatures[1] = abi.encodePacked(bytes32(0), bytes32(uint256(1)), uint8(0));
        (bool ok, bytes memory data) = _send(address(ours), address(receiver), raw, 600_000);
        assertFalse(ok);
        assertEq(data, abi.encodeWithSelector(CanonicalSignature.InvalidSignature.selector, signatures[1]));
        (ok, data) = _send(address(theirs), address(receiver), raw, 600_000);
        assertFalse(ok);
        assertEq(data, abi.encodeWithSelector(KeystoneForwarder.InvalidSigner.selector, address(0)));
    }
}
