// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {QuorumForwarder} from "../src/QuorumForwarder.sol";
import {CanonicalSignature} from "../src/libraries/CanonicalSignature.sol";
import {ReportHeader} from "../src/libraries/ReportHeader.sol";
import {RecordingReceiver, ReenteringReceiver} from "./fixtures/Receivers.sol";
import {SignerFixture} from "./fixtures/SignerFixture.sol";

contract QuorumForwarderTest is SignerFixture {
    uint8 internal constant F = 2;
    uint256 internal constant N = 7;
    bytes2 internal constant REPORT_ID = 0x0001;

    QuorumForwarder internal forwarder;
    RecordingReceiver internal receiver;
    bytes internal raw;
    bytes internal context;
    bytes32 internal digest;

    function setUp() public {
        forwarder = new QuorumForwarder(address(this));
        receiver = new RecordingReceiver();
        forwarder.setConfig(DON, CONFIG_VERSION, F, _signers(N));
        raw = _rawReport(_metadata(), hex"c0ffee");
        context = _context(forwarder.configDigest(DON, CONFIG_VERSION));
        digest = _digest(raw, context);
    }

    function _metadata() private pure returns (bytes memory) {
        return abi.encodePacked(bytes32("workflow"), bytes10("name"), address(0xabcd), REPORT_ID);
    }

    function _report(bytes[] memory signatures) private {
        forwarder.report(address(receiver), raw, context, signatures);
    }

    function _refuse(bytes[] memory signatures, bytes memory reason) private {
        vm.expectRevert(reason);
        _report(signatures);
    }

    function _valid() private view returns (bytes[] memory) {
        return _signAll(F + 1, digest);
    }

    function _state() private view returns (QuorumForwarder.TransmissionState) {
        return forwarder.getTransmissionInfo(address(receiver), EXECUTION, REPORT_ID).state;
    }

    function test_delivers() public {
        vm.expectEmit();
        emit QuorumForwarder.ReportProcessed(address(receiver), EXECUTION, REPORT_ID, true);
        _report(_valid());
        assertEq(receiver.metadata(), _metadata());
        assertEq(receiver.report(), hex"c0ffee");
        assertEq(forwarder.getTransmitter(address(receiver), EXECUTION, REPORT_ID), address(this));
        assertTrue(_state() == QuorumForwarder.TransmissionState.SUCCEEDED);
    }

    function test_configDigestIsThatOfTheSpecification() public view {
        bytes32 expected = keccak256(abi.encode(block.chainid, address(forwarder), DON, CONFIG_VERSION, F, _signers(N)));
        assertEq(forwarder.configDigest(DON, CONFIG_VERSION), expected);
        assertEq(forwarder.configDigest(DON, CONFIG_VERSION + 1), 0);
    }

    function test_transmissionIdIsPacked() public view {
        bytes32 expected = keccak256(abi.encodePacked(address(receiver), EXECUTION, REPORT_ID));
        assertEq(forwarder.getTransmissionId(address(receiver), EXECUTION, REPORT_ID), expected);
        assertTrue(_state() == QuorumForwarder.TransmissionState.NOT_ATTEMPTED);
    }

    // Signatures

    function test_refusesRepeatedSigner_n113() public {
        bytes[] memory signatures = _valid();
        signatures[2] = signatures[0];
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.DuplicateSigner.selector, vm.addr(_key(0))));
    }

    function test_refusesHighS_n113() public {
        bytes[] memory signatures = _valid();
        signatures[2] = _malleate(signatures[2]);
        _refuse(signatures, abi.encodeWithSelector(CanonicalSignature.InvalidSignature.selector, signatures[2]));
    }

    function test_refusesRepeatedSignerWithMirroredS_n113() public {
        bytes[] memory signatures = _valid();
        signatures[2] = _malleate(signatures[0]);
        _refuse(signatures, abi.encodeWithSelector(CanonicalSignature.InvalidSignature.selector, signatures[2]));
    }

    function test_refusesForeignSigner_n114() public {
        bytes[] memory signatures = _valid();
        signatures[1] = _sign(N, digest);
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.InvalidSigner.selector, vm.addr(_key(N))));
    }

    function test_refusesSignerOfThePreviousSet_n114() public {
        address[] memory replaced = _signers(N + 1);
        replaced[0] = replaced[N];
        assembly {
            mstore(replaced, 7)
        }
        forwarder.setConfig(DON, CONFIG_VERSION, F, replaced);
        context = _context(forwarder.configDigest(DON, CONFIG_VERSION));
        bytes[] memory signatures = _signAll(F + 1, _digest(raw, context));
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.InvalidSigner.selector, vm.addr(_key(0))));
    }

    function test_refusesContextOfThePreviousSet_n114() public {
        bytes32 previous = forwarder.configDigest(DON, CONFIG_VERSION);
        forwarder.setConfig(DON, CONFIG_VERSION, F, _signers(N + 1));
        bytes32 current = forwarder.configDigest(DON, CONFIG_VERSION);
        _refuse(_valid(), abi.encodeWithSelector(QuorumForwarder.ConfigDigestMismatch.selector, current, previous));
    }

    function test_refusesOneSignatureTooFew_n115() public {
        bytes memory reason = abi.encodeWithSelector(QuorumForwarder.InvalidSignatureCount.selector, F + 1, F);
        _refuse(_signAll(F, digest), reason);
    }

    function test_refusesOneSignatureTooMany_n115() public {
        bytes memory reason = abi.encodeWithSelector(QuorumForwarder.InvalidSignatureCount.selector, F + 1, F + 2);
        _refuse(_signAll(F + 2, digest), reason);
    }

    function test_refusesNoSignatures_n115() public {
        bytes memory reason = abi.encodeWithSelector(QuorumForwarder.InvalidSignatureCount.selector, F + 1, 0);
        _refuse(new bytes[](0), reason);
    }

    function test_refusesFaultToleranceOfZero_n115() public {
        address[] memory signers = _signers(N);
        vm.expectRevert(QuorumForwarder.FaultToleranceMustBePositive.selector);
        forwarder.setConfig(DON, CONFIG_VERSION, 0, signers);
    }

    function test_refusesContextOfAnotherChain_n116() public {
        bytes32 elsewhere =
            keccak256(abi.encode(block.chainid + 1, address(forwarder), DON, CONFIG_VERSION, F, _signers(N)));
        _refuseDigest(elsewhere);
    }

    function test_refusesContextOfAnotherForwarder_n116() public {
        QuorumForwarder other = new QuorumForwarder(address(this));
        other.setConfig(DON, CONFIG_VERSION, F, _signers(N));
        _refuseDigest(other.configDigest(DON, CONFIG_VERSION));
    }

    function test_refusesContextOfAnotherConfigVersion_n116() public {
        forwarder.setConfig(DON, CONFIG_VERSION + 1, F, _signers(N));
        _refuseDigest(forwarder.configDigest(DON, CONFIG_VERSION + 1));
    }

    function _refuseDigest(bytes32 found) private {
        bytes32 expected = forwarder.configDigest(DON, CONFIG_VERSION);
        context = _context(found);
        bytes[] memory signatures = _signAll(F + 1, _digest(raw, context));
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.ConfigDigestMismatch.selector, expected, found));
    }

    function test_refusesAlteredReport_n116() public {
        bytes[] memory signatures = _valid();
        raw[raw.length - 1] ^= 0x01;
        address recovered = _recover(_digest(raw, context), signatures[0]);
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.InvalidSigner.selector, recovered));
    }

    function _recover(bytes32 hash, bytes memory signature) private pure returns (address) {
        (bytes32 r, bytes32 s) = abi.decode(abi.encodePacked(signature, new bytes(31)), (bytes32, bytes32));
        return ecrecover(hash, uint8(signature[64]) + 27, r, s);
    }

    function _refuseSignature(bytes memory signature) private {
        bytes[] memory signatures = _valid();
        signatures[0] = signature;
        _refuse(signatures, abi.encodeWithSelector(CanonicalSignature.InvalidSignature.selector, signature));
    }

    function test_refusesVOf2And26And29_n117() public {
        bytes memory signature = _sign(0, digest);
        uint8[6] memory wrong = [2, 26, 27, 28, 29, 255];
        for (uint256 i = 0; i < wrong.length; ++i) {
            signature[64] = bytes1(wrong[i]);
            _refuseSignature(signature);
        }
    }

    function test_refusesROfZero_n117() public {
        _refuseSignature(abi.encodePacked(bytes32(0), bytes32(uint256(1)), uint8(0)));
    }

    function test_refusesSOfZero_n117() public {
        _refuseSignature(abi.encodePacked(bytes32(uint256(1)), bytes32(0), uint8(0)));
    }

    function test_refusesROfTheOrder_n117() public {
        _refuseSignature(abi.encodePacked(bytes32(ORDER), bytes32(uint256(1)), uint8(0)));
    }

    function test_refusesSOfTheOrder_n117() public {
        _refuseSignature(abi.encodePacked(bytes32(uint256(1)), bytes32(ORDER), uint8(0)));
    }

    function test_refusesSignatureOf64And66Bytes_n117() public {
        bytes memory signature = _sign(0, digest);
        _refuseSignature(abi.encodePacked(signature, hex"00"));
        assembly {
            mstore(signature, 64)
        }
        _refuseSignature(signature);
    }

    function testFuzz_acceptsOnlyTheConfiguredSigners(uint256 key) public {
        key = bound(key, 1, ORDER - 1);
        address signer = vm.addr(key);
        for (uint256 i = 0; i < N; ++i) {
            vm.assume(signer != vm.addr(_key(i)));
        }
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        bytes[] memory signatures = _valid();
        signatures[0] = abi.encodePacked(r, s, v - 27);
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.InvalidSigner.selector, signer));
    }

    function testFuzz_anyDistinctSignersInAnyOrder(uint256 a, uint256 b, uint256 c) public {
        (a, b, c) = (a % N, b % N, c % N);
        bytes[] memory signatures = new bytes[](3);
        (signatures[0], signatures[1], signatures[2]) = (_sign(a, digest), _sign(b, digest), _sign(c, digest));
        bool distinct = a != b && b != c && a != c;
        address repeated = a == b ? vm.addr(_key(a)) : vm.addr(_key(c));
        if (!distinct) vm.expectRevert(abi.encodeWithSelector(QuorumForwarder.DuplicateSigner.selector, repeated));
        _report(signatures);
        assertEq(receiver.deliveries(), distinct ? 1 : 0);
    }

    function testFuzz_refusesAnyFlippedBit(uint256 bit) public {
        bit = bound(bit, 0, raw.length * 8 - 1);
        bytes[] memory signatures = _valid();
        raw[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        vm.expectRevert();
        _report(signatures);
    }

    // Report and context

    function test_refusesReportShorterThanItsHeader() public {
        assembly {
            sstore(raw.slot, add(mul(108, 2), 1))
        }
        _refuse(_valid(), abi.encodeWithSelector(ReportHeader.InvalidReport.selector));
    }

    function test_refusesOtherReportVersion() public {
        raw[0] = 0x02;
        _refuse(_valid(), abi.encodeWithSelector(ReportHeader.InvalidReportVersion.selector, 1, 2));
    }

    function test_refusesContextOfOtherLength() public {
        context = abi.encodePacked(context, hex"00");
        _refuse(_valid(), abi.encodeWithSelector(QuorumForwarder.InvalidContextLength.selector, 96, 97));
    }

    function test_refusesUnknownConfig() public {
        raw[44] = 0xff;
        uint64 id = (uint64(DON) << 32) | 0xff;
        _refuse(_valid(), abi.encodeWithSelector(QuorumForwarder.InvalidConfig.selector, id));
    }

    function test_refusesClearedConfig() public {
        bytes[] memory signatures = _valid();
        forwarder.clearConfig(DON, CONFIG_VERSION);
        assertEq(forwarder.configDigest(DON, CONFIG_VERSION), 0);
        uint64 id = (uint64(DON) << 32) | CONFIG_VERSION;
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.InvalidConfig.selector, id));
    }

    // Delivery

    function test_refusesSecondDelivery() public {
        _report(_valid());
        bytes32 id = forwarder.getTransmissionId(address(receiver), EXECUTION, REPORT_ID);
        _refuse(_valid(), abi.encodeWithSelector(QuorumForwarder.AlreadyAttempted.selector, id));
    }

    function test_showsTheReceiversReasonAndAllowsRetry() public {
        receiver.setRefusing(true, 0);
        bytes memory reason = abi.encodeWithSelector(RecordingReceiver.Refused.selector, 42);
        vm.expectEmit();
        emit QuorumForwarder.DeliveryReverted(address(receiver), EXECUTION, reason);
        vm.expectEmit();
        emit QuorumForwarder.ReportProcessed(address(receiver), EXECUTION, REPORT_ID, false);
        _report(_valid());
        assertTrue(_state() == QuorumForwarder.TransmissionState.FAILED);
        receiver.setRefusing(false, 0);
        _report(_valid());
        assertTrue(_state() == QuorumForwarder.TransmissionState.SUCCEEDED);
    }

    function test_boundsTheReceiversReason() public {
        receiver.setRefusing(true, 10_000);
        bytes memory reason =
            abi.encodePacked(abi.encodeWithSelector(RecordingReceiver.Refused.selector, 42), new bytes(256 - 36));
        vm.expectEmit();
        emit QuorumForwarder.DeliveryReverted(address(receiver), EXECUTION, reason);
        _report(_valid());
    }

    function test_invalidReceiverIsFinal() public {
        address nobody = makeAddr("nobody");
        vm.expectEmit();
        emit QuorumForwarder.ReportProcessed(nobody, EXECUTION, REPORT_ID, false);
        forwarder.report(nobody, raw, context, _valid());
        bytes32 id = forwarder.getTransmissionId(nobody, EXECUTION, REPORT_ID);
        QuorumForwarder.TransmissionInfo memory info = forwarder.getTransmissionInfo(nobody, EXECUTION, REPORT_ID);
        assertTrue(info.state == QuorumForwarder.TransmissionState.INVALID_RECEIVER);
        assertTrue(info.invalidReceiver);
        bytes[] memory signatures = _valid();
        vm.expectRevert(abi.encodeWithSelector(QuorumForwarder.AlreadyAttempted.selector, id));
        forwarder.report(nobody, raw, context, signatures);
    }

    function test_refusesTooLittleGas() public {
        bytes32 id = forwarder.getTransmissionId(address(receiver), EXECUTION, REPORT_ID);
        bytes[] memory signatures = _valid();
        vm.expectRevert(abi.encodeWithSelector(QuorumForwarder.InsufficientGasForRouting.selector, id));
        forwarder.report{gas: 180_000}(address(receiver), raw, context, signatures);
    }

    function test_refusesDeliveryInsideADelivery() public {
        ReenteringReceiver reentering = new ReenteringReceiver();
        bytes[] memory signatures = _valid();
        reentering.setAgain(abi.encodeCall(forwarder.report, (address(receiver), raw, context, signatures)));
        vm.expectEmit();
        emit QuorumForwarder.DeliveryReverted(
            address(reentering),
            EXECUTION,
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
        forwarder.report(address(reentering), raw, context, signatures);
        assertEq(receiver.deliveries(), 0);
    }

    // Configuration

    function test_setConfigEmits() public {
        address[] memory signers = _signers(4);
        vm.expectEmit();
        emit QuorumForwarder.ConfigSet(1, 2, 1, signers);
        forwarder.setConfig(1, 2, 1, signers);
    }

    function test_onlyTheOwnerConfigures() public {
        address stranger = makeAddr("stranger");
        address[] memory signers = _signers(N);
        bytes memory reason = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger);
        vm.expectRevert(reason);
        vm.prank(stranger);
        forwarder.setConfig(DON, CONFIG_VERSION, F, signers);
        vm.expectRevert(reason);
        vm.prank(stranger);
        forwarder.clearConfig(DON, CONFIG_VERSION);
    }

    function _refuseConfig(uint8 f, address[] memory signers, bytes memory reason) private {
        vm.expectRevert(reason);
        forwarder.setConfig(DON, CONFIG_VERSION, f, signers);
    }

    function test_refusesTooFewSigners() public {
        _refuseConfig(F, _signers(6), abi.encodeWithSelector(QuorumForwarder.InsufficientSigners.selector, 6, 7));
    }

    function test_refusesTooFewSignersForTheGreatestF() public {
        _refuseConfig(255, _signers(31), abi.encodeWithSelector(QuorumForwarder.InsufficientSigners.selector, 31, 766));
    }

    function test_refusesTooManySigners() public {
        _refuseConfig(10, _signers(32), abi.encodeWithSelector(QuorumForwarder.ExcessSigners.selector, 32, 31));
    }

    function test_refusesSignerZero() public {
        address[] memory signers = _signers(N);
        signers[3] = address(0);
        _refuseConfig(F, signers, abi.encodeWithSelector(QuorumForwarder.InvalidSigner.selector, address(0)));
    }

    function test_refusesDuplicateSignerInTheSet() public {
        address[] memory signers = _signers(N);
        signers[3] = signers[0];
        _refuseConfig(F, signers, abi.encodeWithSelector(QuorumForwarder.DuplicateSigner.selector, signers[0]));
    }

    function test_elevenOf31Sign() public {
        forwarder.setConfig(DON, CONFIG_VERSION, 10, _signers(31));
        context = _context(forwarder.configDigest(DON, CONFIG_VERSION));
        _report(_signAll(11, _digest(raw, context)));
        assertEq(receiver.deliveries(), 1);
    }
}
