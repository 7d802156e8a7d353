// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {VaultRegistry} from "../src/VaultRegistry.sol";
import {CanonicalSignature} from "../src/libraries/CanonicalSignature.sol";
import {Committee} from "../src/types/Committee.sol";
import {SignerFixture} from "./fixtures/SignerFixture.sol";

contract VaultRegistryTest is SignerFixture {
    uint64 internal constant EPOCH = 5;
    uint8 internal constant F = 2;
    uint256 internal constant N = 7;
    uint256 internal constant QUORUM = 5;
    uint64 internal constant UNTIL = 1_700_003_600;

    VaultRegistry internal registry;

    function setUp() public {
        vm.warp(1_700_000_000);
        registry = new VaultRegistry(_committee(EPOCH, 0, N));
    }

    /// @dev A committee of the participants first..first+count.
    function _committee(uint64 epoch, uint256 first, uint256 count) private pure returns (Committee memory c) {
        address[] memory participants = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            participants[i] = vm.addr(_key(first + i));
        }
        return Committee(epoch, F, participants, "master key", keccak256(abi.encode("keys", epoch, first)));
    }

    function _next() private pure returns (Committee memory) {
        return _committee(EPOCH + 1, 3, N);
    }

    function _signed(Committee memory c, uint256 count) private view returns (bytes[] memory) {
        return _signAll(count, registry.handoverDigest(c, UNTIL));
    }

    function _refuse(Committee memory c, bytes[] memory signatures, bytes memory reason) private {
        vm.expectRevert(reason);
        registry.handOver(c, UNTIL, signatures);
        assertEq(registry.epoch(), EPOCH);
    }

    function _refuseCommittee(Committee memory c, bytes memory reason) private {
        _refuse(c, _signed(c, QUORUM), reason);
        vm.expectRevert(reason);
        new VaultRegistry(c);
    }

    function test_firstCommitteeIsThatOfTheDeployment() public view {
        Committee memory c = _committee(EPOCH, 0, N);
        assertEq(registry.epoch(), EPOCH);
        assertEq(registry.participants(), N);
        assertEq(registry.faults(), F);
        assertEq(registry.quorum(), QUORUM);
        assertEq(registry.masterKey(), c.masterKey);
        assertEq(registry.verificationRoot(), c.verificationRoot);
        for (uint256 i = 0; i < N; ++i) {
            assertEq(registry.numberOf(EPOCH, c.participants[i]), i + 1);
        }
    }

    function test_digestsAreThoseOfTheSpecification() public view {
        Committee memory c = _committee(EPOCH, 0, N);
        bytes memory words;
        for (uint256 i = 0; i < N; ++i) {
            words = bytes.concat(words, abi.encode(c.participants[i]));
        }
        bytes32 digest = keccak256(abi.encode(EPOCH, F, keccak256(words), c.masterKey, c.verificationRoot));
        assertEq(registry.committeeDigest(), digest);
        bytes32 tag = keccak256("ccc/v1/handover");
        bytes32 next = registry.digestOf(_next());
        bytes32 expected = keccak256(abi.encode(tag, block.chainid, address(registry), digest, next, UNTIL));
        assertEq(registry.handoverDigest(_next(), UNTIL), expected);
    }

    function test_handsOver() public {
        Committee memory c = _next();
        vm.expectEmit();
        emit VaultRegistry.CommitteeInstalled(
            EPOCH + 1, registry.digestOf(c), F, c.participants, c.masterKey, c.verificationRoot
        );
        registry.handOver(c, UNTIL, _signed(c, QUORUM));
        assertEq(registry.epoch(), EPOCH + 1);
        assertEq(registry.committeeDigest(), registry.digestOf(c));
        assertEq(registry.verificationRoot(), c.verificationRoot);
        assertEq(registry.numberOf(EPOCH + 1, c.participants[0]), 1);
        assertEq(registry.numberOf(EPOCH + 1, vm.addr(_key(0))), 0);
    }

    function test_theNewCommitteeHandsOverNext() public {
        Committee memory c = _next();
        registry.handOver(c, UNTIL, _signed(c, QUORUM));
        Committee memory third = _committee(EPOCH + 2, 0, 4);
        third.faults = 1;
        bytes32 digest = registry.handoverDigest(third, UNTIL);
        bytes[] memory signatures = _signAll(QUORUM, digest);
        vm.expectRevert(abi.encodeWithSelector(VaultRegistry.NotParticipant.selector, vm.addr(_key(0))));
        registry.handOver(third, UNTIL, signatures);
        for (uint256 i = 0; i < QUORUM; ++i) {
            signatures[i] = _sign(3 + i, digest);
        }
        registry.handOver(third, UNTIL, signatures);
        assertEq(registry.epoch(), EPOCH + 2);
        assertEq(registry.quorum(), 3);
    }

    function test_refusesFPlusOneAndOneTooFewAndOneTooMany_n115() public {
        Committee memory c = _next();
        uint256[4] memory wrong = [uint256(0), F + 1, QUORUM - 1, QUORUM + 1];
        for (uint256 i = 0; i < wrong.length; ++i) {
            _refuse(
                c, _signed(c, wrong[i]), abi.encodeWithSelector(VaultRegistry.SignatureCount.selector, QUORUM, wrong[i])
            );
        }
    }

    function test_refusesRepeatedSigner_n113() public {
        Committee memory c = _next();
        bytes[] memory signatures = _signed(c, QUORUM);
        signatures[4] = signatures[1];
        _refuse(c, signatures, abi.encodeWithSelector(VaultRegistry.RepeatedSigner.selector, vm.addr(_key(1))));
        signatures[4] = _malleate(signatures[1]);
        _refuse(c, signatures, abi.encodeWithSelector(CanonicalSignature.InvalidSignature.selector, signatures[4]));
    }

    function test_refusesSignerOfTheNextCommitteeOnly_n114() public {
        Committee memory c = _next();
        bytes[] memory signatures = _signed(c, QUORUM);
        signatures[0] = _sign(8, registry.handoverDigest(c, UNTIL));
        _refuse(c, signatures, abi.encodeWithSelector(VaultRegistry.NotParticipant.selector, vm.addr(_key(8))));
    }

    function test_refusesConflictingSecondHandover() public {
        Committee memory c = _next();
        Committee memory rival = _committee(EPOCH + 1, 7, N);
        bytes[] memory signatures = _signed(rival, QUORUM);
        registry.handOver(c, UNTIL, _signed(c, QUORUM));
        vm.expectRevert(abi.encodeWithSelector(VaultRegistry.WrongEpoch.selector, EPOCH + 2, EPOCH + 1));
        registry.handOver(rival, UNTIL, signatures);
        assertEq(registry.committeeDigest(), registry.digestOf(c));
    }

    function test_refusesReplayedHandover_n116() public {
        Committee memory c = _next();
        bytes[] memory signatures = _signed(c, QUORUM);
        registry.handOver(c, UNTIL, signatures);
        vm.expectRevert(abi.encodeWithSelector(VaultRegistry.WrongEpoch.selector, EPOCH + 2, EPOCH + 1));
        registry.handOver(c, UNTIL, signatures);
    }

    /// @dev The same participants hand over to the same committee twice; the second epoch has its own digest.
    function test_refusesSignaturesOfTheEpochBefore_n116() public {
        Committee memory same = _committee(EPOCH + 1, 0, N);
        Committee memory third = _committee(EPOCH + 2, 3, N);
        bytes[] memory early = _signed(third, QUORUM);
        registry.handOver(same, UNTIL, _signed(same, QUORUM));
        address recovered = _recovered(registry.handoverDigest(third, UNTIL), early[0]);
        vm.expectRevert(abi.encodeWithSelector(VaultRegistry.NotParticipant.selector, recovered));
        registry.handOver(third, UNTIL, early);
    }

    function _recovered(bytes32 digest, bytes memory signature) private pure returns (address) {
        (bytes32 r, bytes32 s) = abi.decode(abi.encodePacked(signature, new bytes(31)), (bytes32, bytes32));
        return ecrecover(digest, uint8(signature[64]) + 27, r, s);
    }

    function test_refusesSignaturesForAnotherChainOrRegistry_n116() public {
        Committee memory c = _next();
        bytes32 here = registry.handoverDigest(c, UNTIL);
        bytes[] memory signatures = _signed(c, QUORUM);
        VaultRegistry other = new VaultRegistry(_committee(EPOCH, 0, N));
        address recovered = _recovered(other.handoverDigest(c, UNTIL), signatures[0]);
        vm.expectRevert(abi.encodeWithSelector(VaultRegistry.NotParticipant.selector, recovered));
        other.handOver(c, UNTIL, signatures);
        vm.chainId(block.chainid + 1);
        assertNotEq(registry.handoverDigest(c, UNTIL), here);
        recovered = _recovered(registry.handoverDigest(c, UNTIL), signatures[0]);
        _refuse(c, signatures, abi.encodeWithSelector(VaultRegistry.NotParticipant.selector, recovered));
    }

    function test_refusesHandoverAfterItsTime_n120() public {
        Committee memory c = _next();
        bytes[] memory signatures = _signed(c, QUORUM);
        vm.warp(UNTIL + 1);
        _refuse(c, signatures, abi.encodeWithSelector(VaultRegistry.HandoverExpired.selector, UNTIL, UNTIL + 1));
        address recovered = _recovered(registry.handoverDigest(c, UNTIL + 1), signatures[0]);
        vm.expectRevert(abi.encodeWithSelector(VaultRegistry.NotParticipant.selector, recovered));
        registry.handOver(c, UNTIL + 1, signatures);
        vm.warp(UNTIL);
        registry.handOver(c, UNTIL, signatures);
        assertEq(registry.epoch(), EPOCH + 1);
    }

    function test_refusesSkippedAndRepeatedEpoch() public {
        uint64[3] memory wrong = [EPOCH, EPOCH + 2, type(uint64).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            Committee memory c = _committee(wrong[i], 3, N);
            bytes memory reason = abi.encodeWithSelector(VaultRegistry.WrongEpoch.selector, EPOCH + 1, wrong[i]);
            _refuse(c, _signed(c, QUORUM), reason);
        }
    }

    function test_refusesEpochAfterTheLast() public {
        registry = new VaultRegistry(_committee(type(uint64).max, 0, N));
        Committee memory c = _committee(0, 3, N);
        bytes[] memory signatures = _signed(c, QUORUM);
        vm.expectRevert(abi.encodeWithSelector(VaultRegistry.WrongEpoch.selector, 2 ** 64, 0));
        registry.handOver(c, UNTIL, signatures);
    }

    function test_refusesEmptyAndRepeatedCommittee_n148() public {
        Committee memory c = _next();
        c.participants = new address[](0);
        _refuseCommittee(c, abi.encodeWithSelector(VaultRegistry.TooFewParticipants.selector, 7, 0));
        c = _next();
        c.participants[6] = c.participants[2];
        _refuseCommittee(c, abi.encodeWithSelector(VaultRegistry.RepeatedParticipant.selector, c.participants[2]));
        c.participants[6] = address(0);
        _refuseCommittee(c, abi.encodeWithSelector(VaultRegistry.ZeroParticipant.selector, 7));
    }

    function test_refusesCommitteeOfOtherSize() public {
        Committee memory c = _committee(EPOCH + 1, 3, 6);
        _refuseCommittee(c, abi.encodeWithSelector(VaultRegistry.TooFewParticipants.selector, 7, 6));
        c.faults = 0;
        _refuseCommittee(c, abi.encodeWithSelector(VaultRegistry.FaultsMustBePositive.selector));
        c.faults = F;
        c.participants = new address[](256);
        _refuseCommittee(c, abi.encodeWithSelector(VaultRegistry.TooManyParticipants.selector, 255, 256));
    }

    function test_refusesKeyZero() public {
        Committee memory c = _next();
        c.masterKey = 0;
        _refuseCommittee(c, abi.encodeWithSelector(VaultRegistry.ZeroKey.selector));
        c = _next();
        c.verificationRoot = 0;
        _refuseCommittee(c, abi.encodeWithSelector(VaultRegistry.ZeroKey.selector));
    }

    function test_aHundredHandOver_n149() public {
        registry = new VaultRegistry(_large(EPOCH));
        Committee memory next = _large(EPOCH + 1);
        bytes[] memory signatures = _signed(next, 67);
        uint256 before = gasleft();
        registry.handOver(next, UNTIL, signatures);
        // A transaction holds 16,777,216.
        assertLt(before - gasleft(), 5_000_000);
        assertEq(registry.epoch(), EPOCH + 1);
    }

    function _large(uint64 epoch) private pure returns (Committee memory c) {
        c = _committee(epoch, 0, 100);
        c.faults = 33;
    }

    function testFuzz_digestBindsEveryField(Committee memory a, Committee memory b) public view {
        bool same = keccak256(abi.encode(a)) == keccak256(abi.encode(b));
        assertEq(registry.digestOf(a) == registry.digestOf(b), same);
    }

    function testFuzz_anyDistinctQuorumInAnyOrder(uint256 seed) public {
        Committee memory c = _next();
        bytes32 digest = registry.handoverDigest(c, UNTIL);
        bytes[] memory signatures = new bytes[](QUORUM);
        uint256 seen = 0;
        bool distinct = true;
        for (uint256 i = 0; i < QUORUM; ++i) {
            uint256 who = uint256(keccak256(abi.encode(seed, i))) % N;
            if (seen & (1 << who) != 0) distinct = false;
            seen |= 1 << who;
            signatures[i] = _sign(who, digest);
        }
        if (!distinct) vm.expectPartialRevert(VaultRegistry.RepeatedSigner.selector);
        registry.handOver(c, UNTIL, signatures);
        assertEq(registry.epoch(), distinct ? EPOCH + 1 : EPOCH);
    }
}
