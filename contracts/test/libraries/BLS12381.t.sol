// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {BLS12381} from "../../src/libraries/BLS12381.sol";
import {BLS12381Harness, GroupFixture} from "../fixtures/GroupFixture.sol";

contract BLS12381Test is GroupFixture {
    bytes internal constant MESSAGE = "a message";

    BLS12381Harness internal library_;
    bytes internal key;
    bytes internal signature;

    function setUp() public {
        library_ = new BLS12381Harness();
        key = _groupKey(GROUP_SECRET);
        signature = _groupSign(GROUP_SECRET, MESSAGE);
    }

    function _refuse(bytes memory key_, bytes memory signature_, bytes memory reason) private {
        vm.expectRevert(reason);
        library_.verify(key_, MESSAGE, signature_);
    }

    function _failed(address precompile, uint256 expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(BLS12381.PrecompileFailed.selector, precompile, expected, 0);
    }

    function _coordinate(uint256 index) private pure returns (bytes memory) {
        return abi.encodeWithSelector(BLS12381.InvalidCoordinate.selector, index);
    }

    function test_acceptsTheSignatureOfTheKey() public view {
        assertTrue(library_.verify(key, MESSAGE, signature));
        assertTrue(library_.verify(key, "", _groupSign(GROUP_SECRET, "")));
    }

    function test_anotherMessageKeyOrSignatureIsNotValid() public view {
        assertFalse(library_.verify(key, "another message", signature));
        assertFalse(library_.verify(_groupKey(GROUP_SECRET + 1), MESSAGE, signature));
        assertFalse(library_.verify(key, MESSAGE, _groupSign(GROUP_SECRET + 1, MESSAGE)));
    }

    function testFuzz_onlyTheMessageThatWasSigned(bytes memory message) public view {
        bool same = keccak256(message) == keccak256(MESSAGE);
        assertEq(library_.verify(key, message, signature), same);
    }

    /// @dev Identity against identity: the pairing check would hold for every message.
    function test_refusesTheIdentity_n118() public {
        bytes memory reason = abi.encodeWithSelector(BLS12381.IdentityPoint.selector);
        _refuse(new bytes(128), new bytes(256), reason);
        _refuse(new bytes(128), signature, reason);
        _refuse(key, new bytes(256), reason);
    }

    function test_refusesPointsOutsideOfTheSubgroup_n118() public {
        string memory json = vm.readFile("vectors/eip-2537/fail-pairing_check_bls.json");
        // e(G1_not_in_correct_subgroup,0) and e(0,G2_not_in_correct_subgroup)
        bytes memory g1 = _slice(vm.parseBytes(_input(json, 17)), 0, 128);
        bytes memory g2 = _slice(vm.parseBytes(_input(json, 18)), 128, 256);
        library_.checkPoint(g1, 128);
        library_.checkPoint(g2, 256);
        _refuse(g1, signature, _failed(address(0x0f), 32));
        _refuse(key, g2, _failed(address(0x0f), 32));
    }

    function test_refusesPointsOffTheCurve_n118() public {
        _refuse(_with(key, 127, abi.encodePacked(uint8(key[127]) ^ 1)), signature, _failed(address(0x0f), 32));
        _refuse(key, _with(signature, 255, abi.encodePacked(uint8(signature[255]) ^ 1)), _failed(address(0x0f), 32));
    }

    /// @dev A coordinate plus the modulus is the same point: each has one encoding only.
    function test_refusesCoordinatesThatAreNotReduced_n149() public {
        for (uint256 i = 0; i < 2; ++i) {
            _refuse(_plusModulus(key, 64 * i), signature, _coordinate(i));
            _refuse(_with(key, 64 * i, P), signature, _coordinate(i));
        }
        for (uint256 i = 0; i < 4; ++i) {
            _refuse(key, _plusModulus(signature, 64 * i), _coordinate(i));
            _refuse(key, _with(signature, 64 * i, hex"01"), _coordinate(i));
        }
    }

    function test_theGreatestCoordinateIsOne() public view {
        bytes memory greatest = _with(_with(key, 0, P), 63, hex"aa");
        library_.checkPoint(greatest, 128);
    }

    function test_refusesOtherLengths_n149() public {
        bytes memory longer = bytes.concat(signature, hex"00");
        bytes memory reason = abi.encodeWithSelector(BLS12381.InvalidPointLength.selector, 256, 257);
        _refuse(key, longer, reason);
        _refuse(key, "", abi.encodeWithSelector(BLS12381.InvalidPointLength.selector, 256, 0));
        _refuse(signature, signature, abi.encodeWithSelector(BLS12381.InvalidPointLength.selector, 128, 256));
    }

    function test_refusesATagOfMoreThan255Bytes() public {
        library_.hashToG2(MESSAGE, new bytes(255));
        vm.expectRevert(abi.encodeWithSelector(BLS12381.DomainTooLong.selector, 256));
        library_.hashToG2(MESSAGE, new bytes(256));
    }

    /// @dev A chain without a precompile answers the call with success and nothing, or with something else.
    function test_aPrecompileThatAnswersNothingIsARefusal_n149() public {
        uint160[5] memory precompiles = [uint160(0x02), 0x05, 0x0d, 0x0f, 0x11];
        uint256[5] memory lengths = [uint256(32), 64, 256, 32, 256];
        for (uint256 i = 0; i < 5; ++i) {
            vm.mockCall(address(precompiles[i]), bytes(""), bytes(""));
            _refuse(key, signature, _failed(address(precompiles[i]), lengths[i]));
            vm.clearMockedCalls();
        }
        vm.mockCall(address(0x0f), bytes(""), new bytes(31));
        _refuse(key, signature, abi.encodeWithSelector(BLS12381.PrecompileFailed.selector, address(0x0f), 32, 31));
    }

    // Vectors

    function test_hashesAsRfc9380() public view {
        string memory json = vm.readFile("vectors/rfc9380-hash-to-curve/BLS12381G2_XMD_SHA-256_SSWU_RO_.json");
        bytes memory domain = bytes(vm.parseJsonString(json, ".dst"));
        for (uint256 i = 0; i < 5; ++i) {
            string memory place = string.concat(".vectors[", vm.toString(i), "]");
            bytes memory message = bytes(vm.parseJsonString(json, string.concat(place, ".msg")));
            bytes memory x = _fp2(vm.parseJsonString(json, string.concat(place, ".P.x")));
            bytes memory y = _fp2(vm.parseJsonString(json, string.concat(place, ".P.y")));
            assertEq(library_.hashToG2(message, domain), bytes.concat(x, y));
        }
    }

    function test_thePrecompilesGiveWhatEip2537Says() public view {
        assertEq(_agree("map_fp2_to_G2_bls", address(0x11)), 5);
        assertEq(_agree("add_G2_bls", address(0x0d)), 9);
        assertEq(_agree("pairing_check_bls", address(0x0f)), 15);
    }

    function test_thePrecompilesRefuseWhatEip2537Says_n149() public view {
        assertEq(_refused("fail-map_fp2_to_G2_bls", address(0x11)), 5);
        assertEq(_refused("fail-add_G2_bls", address(0x0d)), 7);
        assertEq(_refused("fail-pairing_check_bls", address(0x0f)), 25);
    }

    function _agree(string memory name, address precompile) private view returns (uint256 i) {
        string memory json = vm.readFile(string.concat("vectors/eip-2537/", name, ".json"));
        for (; vm.keyExistsJson(json, string.concat("[", vm.toString(i), "]")); ++i) {
            (bool ok, bytes memory found) = precompile.staticcall(vm.parseBytes(_input(json, i)));
            string memory expected = vm.parseJsonString(json, string.concat("[", vm.toString(i), "].Expected"));
            assertTrue(ok);
            assertEq(found, vm.parseBytes(string.concat("0x", expected)));
        }
    }

    function _refused(string memory name, address precompile) private view returns (uint256 i) {
        string memory json = vm.readFile(string.concat("vectors/eip-2537/", name, ".json"));
        for (; vm.keyExistsJson(json, string.concat("[", vm.toString(i), "]")); ++i) {
            (bool ok,) = precompile.staticcall{gas: 1_000_000}(vm.parseBytes(_input(json, i)));
            assertFalse(ok, vm.toString(i));
        }
    }

    function _input(string memory json, uint256 i) private pure returns (string memory) {
        return string.concat("0x", vm.parseJsonString(json, string.concat("[", vm.toString(i), "].Input")));
    }

    /// @dev "0x…,0x…", each of 48 bytes.
    function _fp2(string memory text) private pure returns (bytes memory) {
        string[] memory parts = vm.split(text, ",");
        return bytes.concat(bytes16(0), vm.parseBytes(parts[0]), bytes16(0), vm.parseBytes(parts[1]));
    }

    function _slice(bytes memory data, uint256 from, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = data[from + i];
        }
    }
}
