// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {EnclaveRegistry} from "../src/EnclaveRegistry.sol";
import {ReportReceiver} from "../src/ReportReceiver.sol";
import {IVaultEpoch} from "../src/interfaces/IVaultEpoch.sol";
import {ReportPayload} from "../src/libraries/ReportPayload.sol";
import {Ingress} from "../src/types/Ingress.sol";
import {ReportFixture} from "./fixtures/ReportFixture.sol";

/// @notice An epoch that the test moves.
contract MovingEpoch is IVaultEpoch {
    uint64 public epoch;

    constructor(uint64 first) {
        epoch = first;
    }

    function move() external {
        epoch += 1;
    }
}

contract EnclaveRegistryTest is ReportFixture {
    bytes10 internal constant NAME = "0123456789";
    bytes32 internal constant PROGRAM = keccak256("program");
    bytes32 internal constant BOX = keccak256("box key");
    uint64 internal constant LIFETIME = 30 days;

    address internal immutable instance = makeAddr("instance");

    MovingEpoch internal vault;
    EnclaveRegistry internal registry;
    uint64 internal sequence;

    function setUp() public {
        vm.warp(1_700_000_000);
        vault = new MovingEpoch(EPOCH);
        registry = new EnclaveRegistry(_moving(), LIFETIME);
    }

    function _moving() private view returns (Ingress memory ingress) {
        ingress = _ingress(NAME);
        ingress.vault = address(vault);
    }

    function _admission() private view returns (ReportPayload.Enclave memory) {
        return ReportPayload.Enclave(PROGRAM, BOX, instance, uint64(block.timestamp) + 1 days);
    }

    function _measurement(uint64 expiry) private pure returns (ReportPayload.Enclave memory) {
        return ReportPayload.Enclave(PROGRAM, 0, address(0), expiry);
    }

    function _revocation() private view returns (ReportPayload.Enclave memory) {
        return ReportPayload.Enclave(0, 0, instance, 0);
    }

    function _payload(ReportPayload.Enclave memory e) private returns (bytes memory) {
        ReportPayload.Binding memory b = _binding(address(registry), 3, ++sequence);
        b.epoch = vault.epoch();
        return bytes.concat(_words(b), _words(e));
    }

    function _send(bytes memory payload) private {
        vm.prank(forwarder);
        registry.onReport(_metadata(NAME, 3), payload);
    }

    function _deliver(ReportPayload.Enclave memory e) private {
        _send(_payload(e));
    }

    function _refuse(ReportPayload.Enclave memory e, bytes memory reason) private {
        bytes memory payload = _payload(e);
        vm.expectRevert(reason);
        _send(payload);
    }

    function _allow() private {
        _deliver(_measurement(uint64(block.timestamp) + 90 days));
    }

    function _admit() private {
        _allow();
        _deliver(_admission());
    }

    function _assertStanding(EnclaveRegistry.Standing expected) private view {
        assertEq(uint8(registry.standing(instance)), uint8(expected));
        assertEq(registry.isCurrent(instance), expected == EnclaveRegistry.Standing.Current);
    }

    function test_startsEmpty() public view {
        _assertStanding(EnclaveRegistry.Standing.Unknown);
        assertEq(registry.allowedUntil(PROGRAM), 0);
        assertEq(registry.enclave(instance).measurement, 0);
        assertFalse(registry.isCurrent(address(0)));
    }

    function test_admits() public {
        _allow();
        ReportPayload.Enclave memory e = _admission();
        vm.expectEmit();
        emit EnclaveRegistry.EnclaveAdmitted(instance, PROGRAM, BOX, EPOCH, e.expiry, ATTESTATION);
        _deliver(e);
        _assertStanding(EnclaveRegistry.Standing.Current);
        EnclaveRegistry.Enclave memory kept = registry.enclave(instance);
        assertEq(kept.measurement, PROGRAM);
        assertEq(kept.boxKey, BOX);
        assertEq(kept.epoch, EPOCH);
        assertEq(kept.expiry, e.expiry);
        assertFalse(kept.revoked);
    }

    function test_expires() public {
        _admit();
        vm.warp(registry.enclave(instance).expiry);
        _assertStanding(EnclaveRegistry.Standing.Current);
        vm.warp(block.timestamp + 1);
        _assertStanding(EnclaveRegistry.Standing.Expired);
    }

    function test_isAdmittedForLonger() public {
        _admit();
        vm.warp(block.timestamp + 2 days);
        _assertStanding(EnclaveRegistry.Standing.Expired);
        _deliver(_admission());
        _assertStanding(EnclaveRegistry.Standing.Current);
    }

    function test_measurementAllowsAndForbidsAllItsEnclaves() public {
        _admit();
        vm.expectEmit();
        emit EnclaveRegistry.MeasurementAllowed(PROGRAM, 0, ATTESTATION);
        _deliver(_measurement(0));
        _assertStanding(EnclaveRegistry.Standing.MeasurementNotAllowed);
        _refuse(_admission(), abi.encodeWithSelector(EnclaveRegistry.MeasurementNotAllowed.selector, PROGRAM, 0));
        _allow();
        _assertStanding(EnclaveRegistry.Standing.Current);
    }

    function test_measurementExpires() public {
        _admit();
        uint64 until = uint64(block.timestamp) + 60;
        _deliver(_measurement(until));
        vm.warp(until);
        _assertStanding(EnclaveRegistry.Standing.Current);
        vm.warp(until + 1);
        _assertStanding(EnclaveRegistry.Standing.MeasurementNotAllowed);
        _refuse(_admission(), abi.encodeWithSelector(EnclaveRegistry.MeasurementNotAllowed.selector, PROGRAM, until));
    }

    function test_revokesForEver() public {
        _admit();
        vm.expectEmit();
        emit EnclaveRegistry.EnclaveRevoked(instance, ATTESTATION);
        _deliver(_revocation());
        _assertStanding(EnclaveRegistry.Standing.Revoked);
        bytes memory reason = abi.encodeWithSelector(EnclaveRegistry.EnclaveIsRevoked.selector, instance);
        _refuse(_admission(), reason);
        _refuse(_revocation(), reason);
        vault.move();
        _refuse(_admission(), reason);
        _assertStanding(EnclaveRegistry.Standing.Revoked);
    }

    function test_refusesAdmissionThatWasDelayedBehindARevocation_n116() public {
        _admit();
        bytes memory renewal = _payload(_admission());
        _deliver(_revocation());
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.StaleSequence.selector, sequence, sequence - 1));
        _send(renewal);
        _assertStanding(EnclaveRegistry.Standing.Revoked);
    }

    function test_refusesReplayedAllowanceAfterItWasWithdrawn_n116() public {
        bytes memory allowance = _payload(_measurement(uint64(block.timestamp) + 1 days));
        _send(allowance);
        _deliver(_measurement(0));
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.StaleSequence.selector, 2, 1));
        _send(allowance);
        assertEq(registry.allowedUntil(PROGRAM), 0);
    }

    /// @dev Of an empty registry: the first admission is held back, and the revocation overtakes it.
    function test_aRevocationThatComesFirstCountsForEver_n116() public {
        bytes memory admission = _payload(_admission());
        vm.expectEmit();
        emit EnclaveRegistry.EnclaveRevoked(instance, ATTESTATION);
        _deliver(_revocation());
        assertEq(registry.lastSequence(3), 2);
        _assertStanding(EnclaveRegistry.Standing.Revoked);
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.StaleSequence.selector, 2, 1));
        _send(admission);
        _allow();
        bytes memory reason = abi.encodeWithSelector(EnclaveRegistry.EnclaveIsRevoked.selector, instance);
        _refuse(_admission(), reason);
        _refuse(_revocation(), reason);
        _assertStanding(EnclaveRegistry.Standing.Revoked);
    }

    function test_refusesUnlistedMeasurement() public {
        _refuse(_admission(), abi.encodeWithSelector(EnclaveRegistry.MeasurementNotAllowed.selector, PROGRAM, 0));
    }

    function test_refusesOtherProgramOrBoxKeyUnderTheSameSigner() public {
        _admit();
        bytes memory reason = abi.encodeWithSelector(EnclaveRegistry.EnclaveDiffers.selector, PROGRAM, BOX);
        ReportPayload.Enclave memory e = _admission();
        e.boxKey = keccak256("other");
        _refuse(e, reason);
        e = _admission();
        e.measurement = keccak256("other");
        _deliver(ReportPayload.Enclave(e.measurement, 0, address(0), e.expiry));
        _refuse(e, reason);
    }

    function test_refusesExpiryPassedOrTooFarAhead() public {
        _allow();
        ReportPayload.Enclave memory e = _admission();
        uint64[2] memory wrong = [uint64(block.timestamp) - 1, uint64(block.timestamp) + LIFETIME + 1];
        for (uint256 i = 0; i < wrong.length; ++i) {
            e.expiry = wrong[i];
            _refuse(
                e,
                abi.encodeWithSelector(
                    EnclaveRegistry.ExpiryOutOfRange.selector, block.timestamp, block.timestamp + LIFETIME, wrong[i]
                )
            );
        }
        _refuse(
            _measurement(wrong[0]),
            abi.encodeWithSelector(
                EnclaveRegistry.ExpiryOutOfRange.selector, block.timestamp, type(uint64).max, wrong[0]
            )
        );
    }

    function testFuzz_refusesEveryOtherPatternOfZeros(uint8 pattern) public {
        _admit();
        pattern %= 16;
        ReportPayload.Enclave memory e = _admission();
        if (pattern & 1 == 0) e.measurement = 0;
        if (pattern & 2 == 0) e.boxKey = 0;
        if (pattern & 4 == 0) e.signer = address(0);
        if (pattern & 8 == 0) e.expiry = 0;
        bool known = pattern == 15 || pattern == 9 || pattern == 1 || pattern == 4;
        if (known) return _deliver(e);
        _refuse(
            e,
            abi.encodeWithSelector(
                EnclaveRegistry.EnclaveReportMalformed.selector, e.measurement, e.boxKey, e.signer, e.expiry
            )
        );
    }

    // Epochs

    function test_anotherEpochNeedsAnotherAdmission() public {
        _admit();
        bytes memory late = _payload(_admission());
        vault.move();
        assertEq(registry.epoch(), EPOCH + 1);
        _assertStanding(EnclaveRegistry.Standing.OtherEpoch);
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.WrongEpoch.selector, EPOCH + 1, EPOCH));
        _send(late);
        _deliver(_admission());
        _assertStanding(EnclaveRegistry.Standing.Current);
        assertEq(registry.enclave(instance).epoch, EPOCH + 1);
    }

    function test_constructorRefuses() public {
        vm.expectRevert(EnclaveRegistry.ZeroLifetime.selector);
        new EnclaveRegistry(_moving(), 0);
        Ingress memory ingress = _moving();
        ingress.epoch = EPOCH + 1;
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.WrongEpoch.selector, EPOCH, EPOCH + 1));
        new EnclaveRegistry(ingress, LIFETIME);
        ingress.vault = makeAddr("nothing here");
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.WithoutCode.selector, "vault", ingress.vault));
        new EnclaveRegistry(ingress, LIFETIME);
    }

    // The door

    function test_refusesAnotherChainAndReceiver_n116() public {
        _allow();
        ReportPayload.Binding memory b = _binding(address(registry), 3, 100);
        b.chain += 1;
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.WrongChain.selector, block.chainid, b.chain));
        _send(bytes.concat(_words(b), _words(_admission())));
        b = _binding(makeAddr("another registry"), 3, 100);
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.WrongReceiver.selector, address(registry), b.receiver));
        _send(bytes.concat(_words(b), _words(_admission())));
        _assertStanding(EnclaveRegistry.Standing.Unknown);
    }

    function test_refusesOtherKindsAndSenders_n145() public {
        bytes memory payload = bytes.concat(_words(_binding(address(registry), 2, 1)), new bytes(320));
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.UnexpectedKind.selector, 2));
        vm.prank(forwarder);
        registry.onReport(_metadata(NAME, 2), payload);
        payload = _payload(_admission());
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.InvalidSender.selector, forwarder, address(this)));
        registry.onReport(_metadata(NAME, 3), payload);
    }

    function test_refusesReportAfterItsTime_n120() public {
        bytes memory payload = _payload(_measurement(uint64(block.timestamp) + 1 days));
        uint64 last = uint64(block.timestamp) + 600;
        vm.warp(last + 1);
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.ReportExpired.selector, last, last + 1));
        _send(payload);
    }

    function testFuzz_isCurrentOnlyWhileEverythingHolds(uint32 wait, uint32 program, bool revoked, bool moved) public {
        uint64 start = uint64(block.timestamp);
        _admit();
        uint64 until = start + 1 + program % 5 days;
        _deliver(_measurement(until));
        if (revoked) _deliver(_revocation());
        if (moved) vault.move();
        vm.warp(start + wait % 10 days);
        bool holds = block.timestamp <= start + 1 days && block.timestamp <= until && !revoked && !moved;
        assertEq(registry.isCurrent(instance), holds);
    }
}
