// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ReportReceiver} from "../src/ReportReceiver.sol";
import {ReserveAttestation} from "../src/ReserveAttestation.sol";
import {ReportPayload} from "../src/libraries/ReportPayload.sol";
import {Ingress} from "../src/types/Ingress.sol";
import {ReportFixture} from "./fixtures/ReportFixture.sol";

/// @notice What every receiver refuses, seen through the smallest heir.
contract ReportReceiverTest is ReportFixture {
    bytes10 internal constant NAME = "0123456789";

    ReserveAttestation internal receiver;

    function setUp() public {
        vm.warp(1_700_000_000);
        receiver = new ReserveAttestation(_ingress(NAME), "agent", 1 hours);
    }

    function _valid() private view returns (ReportPayload.Binding memory) {
        return _binding(address(receiver), 1, 1);
    }

    function _payload(ReportPayload.Binding memory b) private view returns (bytes memory) {
        ReportPayload.Solvency memory s =
            ReportPayload.Solvency(1, uint64(block.number), uint64(block.timestamp), "header", "envelope");
        return bytes.concat(_words(b), _words(s));
    }

    function _deliver(bytes memory metadata, bytes memory payload) private {
        vm.prank(forwarder);
        receiver.onReport(metadata, payload);
    }

    function _refuse(bytes memory metadata, bytes memory reason) private {
        bytes memory payload = _payload(_valid());
        vm.expectRevert(reason);
        _deliver(metadata, payload);
    }

    function _refuse(ReportPayload.Binding memory b, bytes memory reason) private {
        bytes memory payload = _payload(b);
        vm.expectRevert(reason);
        _deliver(_metadata(NAME, 1), payload);
    }

    function test_interfaceIds() public view {
        assertTrue(receiver.supportsInterface(0x805f2132));
        assertTrue(receiver.supportsInterface(0x01ffc9a7));
        assertFalse(receiver.supportsInterface(0xffffffff));
    }

    function test_acceptsMetadataOf62And64Bytes() public {
        _deliver(abi.encodePacked(WORKFLOW_ID, NAME, WORKFLOW_OWNER), _payload(_valid()));
        ReportPayload.Binding memory b = _valid();
        b.sequence = 2;
        _deliver(_metadata(NAME, 1), _payload(b));
        assertEq(receiver.lastSequence(1), 2);
    }

    function test_refusesAnyOtherSender_n145() public {
        bytes memory payload = _payload(_valid());
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.InvalidSender.selector, forwarder, address(this)));
        receiver.onReport(_metadata(NAME, 1), payload);
    }

    function test_refusesWrongWorkflowId_n145() public {
        _refuse(
            abi.encodePacked(bytes32("other"), NAME, WORKFLOW_OWNER, uint16(1)),
            abi.encodeWithSelector(ReportReceiver.InvalidWorkflowId.selector, WORKFLOW_ID, bytes32("other"))
        );
    }

    function test_refusesWrongWorkflowOwner_n145() public {
        _refuse(
            abi.encodePacked(WORKFLOW_ID, NAME, address(1), uint16(1)),
            abi.encodeWithSelector(ReportReceiver.InvalidWorkflowOwner.selector, WORKFLOW_OWNER, address(1))
        );
    }

    function test_refusesWrongWorkflowName_n145() public {
        _refuse(
            _metadata("other", 1),
            abi.encodeWithSelector(ReportReceiver.InvalidWorkflowName.selector, NAME, bytes10("other"))
        );
    }

    function test_refusesReportIdUnlikeTheKind() public {
        _refuse(_metadata(NAME, 2), abi.encodeWithSelector(ReportReceiver.InvalidReportId.selector, 1, 2));
    }

    function test_refusesMetadataOfOtherLength() public {
        bytes memory metadata = abi.encodePacked(_metadata(NAME, 1), hex"00");
        _refuse(metadata, abi.encodeWithSelector(ReportReceiver.MetadataLength.selector, 65));
        _refuse("", abi.encodeWithSelector(ReportReceiver.MetadataLength.selector, 0));
    }

    function test_refusesAnotherChain_n116() public {
        ReportPayload.Binding memory b = _valid();
        b.chain += 1;
        _refuse(b, abi.encodeWithSelector(ReportReceiver.WrongChain.selector, block.chainid, block.chainid + 1));
    }

    function test_refusesAnotherReceiver_n116() public {
        ReportPayload.Binding memory b = _valid();
        b.receiver = address(2);
        _refuse(b, abi.encodeWithSelector(ReportReceiver.WrongReceiver.selector, address(receiver), address(2)));
    }

    function test_refusesAnotherEpoch_n116() public {
        ReportPayload.Binding memory b = _valid();
        b.epoch += 1;
        _refuse(b, abi.encodeWithSelector(ReportReceiver.WrongEpoch.selector, EPOCH, EPOCH + 1));
    }

    function test_refusesAnotherKind_n116() public {
        ReportPayload.Binding memory b = _valid();
        b.kind = 2;
        _refuse(b, abi.encodeWithSelector(ReportReceiver.UnexpectedKind.selector, 2));
    }

    function test_refusesRepeatedAndOlderSequence_n116() public {
        ReportPayload.Binding memory b = _valid();
        b.sequence = 5;
        _deliver(_metadata(NAME, 1), _payload(b));
        _refuse(b, abi.encodeWithSelector(ReportReceiver.StaleSequence.selector, 5, 5));
        b.sequence = 4;
        _refuse(b, abi.encodeWithSelector(ReportReceiver.StaleSequence.selector, 5, 4));
    }

    function test_refusesSequenceZero() public {
        ReportPayload.Binding memory b = _valid();
        b.sequence = 0;
        _refuse(b, abi.encodeWithSelector(ReportReceiver.StaleSequence.selector, 0, 0));
    }

    function test_refusesAfterTheLastValidSecond_n120() public {
        ReportPayload.Binding memory b = _valid();
        vm.warp(b.validUntil);
        bytes memory payload = _payload(b);
        uint256 last = b.validUntil;
        uint256 snapshot = vm.snapshotState();
        _deliver(_metadata(NAME, 1), payload);
        vm.revertToState(snapshot);
        vm.warp(last + 1);
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.ReportExpired.selector, last, last + 1));
        _deliver(_metadata(NAME, 1), payload);
    }

    // What is zero is not checked

    function _deliverFrom(bytes32 id, bytes10 name, address owner, uint64 sequence) private {
        ReportPayload.Binding memory b = _valid();
        b.sequence = sequence;
        _deliver(abi.encodePacked(id, name, owner, uint16(1)), _payload(b));
    }

    function _refuseFrom(bytes32 id, bytes10 name, address owner, bytes memory reason) private {
        _refuse(abi.encodePacked(id, name, owner, uint16(1)), reason);
    }

    function test_withoutAnIdTakesEveryVersionOfTheWorkflow() public {
        Ingress memory ingress = _ingress(NAME);
        ingress.workflowId = 0;
        receiver = new ReserveAttestation(ingress, "agent", 1 hours);
        bytes memory reason =
            abi.encodeWithSelector(ReportReceiver.InvalidWorkflowName.selector, NAME, bytes10("other"));
        _refuseFrom("first", "other", WORKFLOW_OWNER, reason);
        reason = abi.encodeWithSelector(ReportReceiver.InvalidWorkflowOwner.selector, WORKFLOW_OWNER, address(1));
        _refuseFrom("first", NAME, address(1), reason);
        _deliverFrom("first", NAME, WORKFLOW_OWNER, 1);
        _deliverFrom("second", NAME, WORKFLOW_OWNER, 2);
        assertEq(receiver.lastSequence(1), 2);
    }

    function test_withoutANameTakesAllWorkflowsOfTheOwner() public {
        receiver = new ReserveAttestation(_ingress(0), "agent", 1 hours);
        bytes memory reason =
            abi.encodeWithSelector(ReportReceiver.InvalidWorkflowOwner.selector, WORKFLOW_OWNER, address(1));
        _refuseFrom(WORKFLOW_ID, "one", address(1), reason);
        _deliverFrom(WORKFLOW_ID, "one", WORKFLOW_OWNER, 1);
        _deliverFrom(WORKFLOW_ID, "other", WORKFLOW_OWNER, 2);
        assertEq(receiver.lastSequence(1), 2);
    }

    function test_withoutAnOwnerTakesOneIdOfAnybody() public {
        Ingress memory ingress = _ingress(0);
        ingress.workflowOwner = address(0);
        receiver = new ReserveAttestation(ingress, "agent", 1 hours);
        bytes memory reason =
            abi.encodeWithSelector(ReportReceiver.InvalidWorkflowId.selector, WORKFLOW_ID, bytes32("other"));
        _refuseFrom("other", NAME, address(1), reason);
        _deliverFrom(WORKFLOW_ID, NAME, address(1), 1);
        _deliverFrom(WORKFLOW_ID, NAME, address(2), 2);
        assertEq(receiver.lastSequence(1), 2);
    }

    function test_constructorRefusesNameWithoutOwner() public {
        Ingress memory ingress = _ingress(NAME);
        ingress.workflowOwner = address(0);
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.NameWithoutOwner.selector, NAME));
        new ReserveAttestation(ingress, "agent", 1);
    }

    function test_constructorRefusesForwarderZero() public {
        Ingress memory ingress = _ingress(NAME);
        ingress.forwarder = address(0);
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.ZeroAddress.selector, "forwarder"));
        new ReserveAttestation(ingress, "agent", 1);
    }
}
