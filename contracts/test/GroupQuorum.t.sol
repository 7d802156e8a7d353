// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {QuorumForwarder} from "../src/QuorumForwarder.sol";
import {BLS12381} from "../src/libraries/BLS12381.sol";
import {GroupFixture} from "./fixtures/GroupFixture.sol";
import {RecordingReceiver} from "./fixtures/Receivers.sol";
import {SignerFixture} from "./fixtures/SignerFixture.sol";

/// @notice The forwarder with one group key in the place of signers.
contract GroupQuorumTest is SignerFixture, GroupFixture {
    uint8 internal constant F = 33;
    uint16 internal constant N = 100;

    QuorumForwarder internal forwarder;
    RecordingReceiver internal receiver;
    bytes internal key;
    bytes internal raw;
    bytes internal context;
    bytes32 internal digest;

    function setUp() public {
        forwarder = new QuorumForwarder(address(this));
        receiver = new RecordingReceiver();
        key = _groupKey(GROUP_SECRET);
        _setGroup(CONFIG_VERSION, GROUP_SECRET);
        raw = _rawReport(abi.encodePacked(bytes32("workflow"), bytes10("name"), address(0xabcd), bytes2(0x0001)), "x");
        _bind();
    }

    function _setGroup(uint32 version, uint256 secret) private {
        bytes memory groupKey = _groupKey(secret);
        bytes memory possession = _possession(version, secret);
        forwarder.setGroupConfig(DON, version, F, N, groupKey, possession);
    }

    function _possession(uint32 version, uint256 secret) private view returns (bytes memory) {
        bytes32 config = forwarder.groupConfigDigest(DON, version, F, N, _groupKey(secret));
        return _groupSign(secret, abi.encodePacked(forwarder.GROUP_POSSESSION(), config));
    }

    function _bind() private {
        context = _context(forwarder.configDigest(DON, CONFIG_VERSION));
        digest = _digest(raw, context);
    }

    function _sign(uint256 secret) private view returns (bytes[] memory signatures) {
        signatures = new bytes[](1);
        signatures[0] = _groupSign(secret, abi.encodePacked(digest));
    }

    function _report(bytes[] memory signatures) private {
        forwarder.report(address(receiver), raw, context, signatures);
    }

    function _refuse(bytes[] memory signatures, bytes memory reason) private {
        vm.expectRevert(reason);
        _report(signatures);
    }

    function _refuseConfig(uint8 f, uint16 n, bytes memory groupKey, bytes memory possession, bytes memory reason)
        private
    {
        vm.expectRevert(reason);
        forwarder.setGroupConfig(DON, 9, f, n, groupKey, possession);
    }

    function test_deliversWhatTheGroupSigned() public {
        vm.expectEmit();
        emit QuorumForwarder.ReportProcessed(address(receiver), EXECUTION, 0x0001, true);
        _report(_sign(GROUP_SECRET));
        assertEq(receiver.report(), "x");
        assertTrue(forwarder.verifier(DON, CONFIG_VERSION) == QuorumForwarder.Verifier.BLS);
    }

    function test_configDigestIsThatOfTheSpecification() public view {
        bytes32 expected = keccak256(
            abi.encode(
                bytes32("ccc/v1/group-config"), block.chainid, address(forwarder), DON, CONFIG_VERSION, F, N, key
            )
        );
        assertEq(forwarder.configDigest(DON, CONFIG_VERSION), expected);
    }

    function test_emitsTheConfiguration() public {
        bytes memory possession = _possession(9, GROUP_SECRET);
        vm.expectEmit();
        emit QuorumForwarder.GroupConfigSet(DON, 9, F, N, key);
        forwarder.setGroupConfig(DON, 9, F, N, key, possession);
    }

    // Signatures

    function test_refusesAnotherGroupsSignature_n114() public {
        bytes[] memory signatures = _sign(GROUP_SECRET + 1);
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.InvalidGroupSignature.selector, digest));
    }

    function test_refusesTheSignatureOfAnotherReport_n114() public {
        bytes[] memory signatures = _sign(GROUP_SECRET);
        raw = bytes.concat(raw, hex"00");
        bytes32 other = _digest(raw, context);
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.InvalidGroupSignature.selector, other));
    }

    function test_refusesSignaturesOfSingleSigners_n114() public {
        bytes[] memory signatures = _signAll(1, digest);
        _refuse(signatures, abi.encodeWithSelector(BLS12381.InvalidPointLength.selector, 256, 65));
    }

    function test_aSetOfSignersRefusesAGroupsSignature_n114() public {
        forwarder.setConfig(DON, CONFIG_VERSION, 1, _signers(4));
        assertTrue(forwarder.verifier(DON, CONFIG_VERSION) == QuorumForwarder.Verifier.ECDSA);
        _bind();
        bytes[] memory signatures = _sign(GROUP_SECRET);
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.InvalidSignatureCount.selector, 2, 1));
    }

    function test_refusesMoreOrLessThanOneSignature_n115() public {
        _refuse(new bytes[](0), abi.encodeWithSelector(QuorumForwarder.InvalidSignatureCount.selector, 1, 0));
        bytes[] memory two = new bytes[](2);
        two[0] = two[1] = _sign(GROUP_SECRET)[0];
        _refuse(two, abi.encodeWithSelector(QuorumForwarder.InvalidSignatureCount.selector, 1, 2));
    }

    function test_refusesTheIdentityAsSignature_n118() public {
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = new bytes(256);
        _refuse(signatures, abi.encodeWithSelector(BLS12381.IdentityPoint.selector));
    }

    function test_refusesBytesAfterTheSignature_n149() public {
        bytes[] memory signatures = _sign(GROUP_SECRET);
        signatures[0] = bytes.concat(signatures[0], hex"00");
        _refuse(signatures, abi.encodeWithSelector(BLS12381.InvalidPointLength.selector, 256, 257));
    }

    function test_refusesContextOfAnotherChainForwarderOrSet_n116() public {
        bytes32 bound = forwarder.configDigest(DON, CONFIG_VERSION);
        bytes[] memory signatures = _sign(GROUP_SECRET);
        vm.chainId(block.chainid + 1);
        bytes32 elsewhere = forwarder.groupConfigDigest(DON, CONFIG_VERSION, F, N, key);
        context = _context(elsewhere);
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.ConfigDigestMismatch.selector, bound, elsewhere));
        QuorumForwarder other = new QuorumForwarder(address(this));
        assertNotEq(other.groupConfigDigest(DON, CONFIG_VERSION, F, N, key), elsewhere);
        assertNotEq(forwarder.groupConfigDigest(DON, CONFIG_VERSION + 1, F, N, key), elsewhere);
        assertNotEq(forwarder.groupConfigDigest(DON, CONFIG_VERSION, F - 1, N, key), elsewhere);
        assertNotEq(forwarder.groupConfigDigest(DON, CONFIG_VERSION, F, N + 1, key), elsewhere);
    }

    function test_aReplacedKeySignsNoMore_n114() public {
        bytes32 before = forwarder.configDigest(DON, CONFIG_VERSION);
        bytes[] memory signatures = _sign(GROUP_SECRET);
        _setGroup(CONFIG_VERSION, GROUP_SECRET + 1);
        bytes32 now_ = forwarder.configDigest(DON, CONFIG_VERSION);
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.ConfigDigestMismatch.selector, now_, before));
        _bind();
        signatures = _sign(GROUP_SECRET);
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.InvalidGroupSignature.selector, digest));
        _report(_sign(GROUP_SECRET + 1));
    }

    function test_aClearedGroupSignsNoMore_n114() public {
        bytes[] memory signatures = _sign(GROUP_SECRET);
        forwarder.clearConfig(DON, CONFIG_VERSION);
        uint64 id = (uint64(DON) << 32) | CONFIG_VERSION;
        _refuse(signatures, abi.encodeWithSelector(QuorumForwarder.InvalidConfig.selector, id));
    }

    function test_aClearedGroupVerifiesForNothing_n148() public {
        forwarder.clearConfig(DON, CONFIG_VERSION);
        assertTrue(forwarder.verifier(DON, CONFIG_VERSION) == QuorumForwarder.Verifier.ECDSA);
        assertEq(forwarder.configDigest(DON, CONFIG_VERSION), 0);
        _setGroup(CONFIG_VERSION, GROUP_SECRET);
        _report(_sign(GROUP_SECRET));
        assertEq(receiver.report(), "x");
    }

    function test_namesTheVersionThatKnowsGroups() public view {
        assertEq(forwarder.typeAndVersion(), "QuorumForwarder 1.1.0");
    }

    /// @dev A set of signers under the same id leaves none of them behind.
    function test_aGroupReplacesSigners() public {
        forwarder.setConfig(DON, 9, 1, _signers(4));
        _setGroup(9, GROUP_SECRET);
        forwarder.setConfig(DON, 9, 1, _signers(4));
    }

    // Configurations

    function test_refusesAKeyThatNobodyShowedToHold_n118() public {
        bytes32 config = forwarder.groupConfigDigest(DON, 9, F, N, key);
        bytes memory reason = abi.encodeWithSelector(QuorumForwarder.InvalidPossession.selector, config);
        // Shown for another version, of another key, and for what is signed of a report.
        _refuseConfig(F, N, key, _possession(8, GROUP_SECRET), reason);
        _refuseConfig(F, N, key, _possession(9, GROUP_SECRET + 1), reason);
        _refuseConfig(F, N, key, _groupSign(GROUP_SECRET, abi.encodePacked(config)), reason);
    }

    function test_refusesTheIdentityAsKey_n118() public {
        _refuseConfig(F, N, new bytes(128), new bytes(256), abi.encodeWithSelector(BLS12381.IdentityPoint.selector));
    }

    function test_refusesKeysOfOtherLengths_n149() public {
        bytes memory possession = _possession(9, GROUP_SECRET);
        bytes memory reason = abi.encodeWithSelector(BLS12381.InvalidPointLength.selector, 128, 129);
        _refuseConfig(F, N, bytes.concat(key, hex"00"), possession, reason);
    }

    function test_refusesAKeyThatIsNotReduced_n149() public {
        bytes memory possession = _possession(9, GROUP_SECRET);
        bytes memory reason = abi.encodeWithSelector(BLS12381.InvalidCoordinate.selector, 1);
        _refuseConfig(F, N, _plusModulus(key, 64), possession, reason);
    }

    function test_refusesNoFaultsAndTooFewParticipants_n115() public {
        bytes memory none = new bytes(256);
        _refuseConfig(0, N, key, none, abi.encodeWithSelector(QuorumForwarder.FaultToleranceMustBePositive.selector));
        bytes memory reason = abi.encodeWithSelector(QuorumForwarder.InsufficientSigners.selector, 99, 100);
        _refuseConfig(33, 99, key, none, reason);
    }

    function test_onlyTheOwnerSetsAGroup_n148() public {
        bytes memory possession = _possession(9, GROUP_SECRET);
        vm.prank(makeAddr("stranger"));
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, makeAddr("stranger")));
        forwarder.setGroupConfig(DON, 9, F, N, key, possession);
    }
}
