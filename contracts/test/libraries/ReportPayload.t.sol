// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ReportPayload} from "../../src/libraries/ReportPayload.sol";
import {ReportFixture} from "../fixtures/ReportFixture.sol";

contract ReportPayloadHarness {
    function binding(bytes calldata payload) external pure returns (ReportPayload.Binding memory) {
        return ReportPayload.binding(payload);
    }

    function solvency(bytes calldata payload) external pure returns (ReportPayload.Solvency memory) {
        return ReportPayload.solvency(payload);
    }

    function round(bytes calldata payload) external pure returns (ReportPayload.Round memory) {
        return ReportPayload.round(payload);
    }

    function enclave(bytes calldata payload) external pure returns (ReportPayload.Enclave memory) {
        return ReportPayload.enclave(payload);
    }

    function payout(bytes calldata payload) external pure returns (ReportPayload.Payout memory) {
        return ReportPayload.payout(payload);
    }
}

contract ReportPayloadTest is ReportFixture {
    uint256 internal constant BINDING = 224;

    ReportPayloadHarness internal reader;

    function setUp() public {
        reader = new ReportPayloadHarness();
    }

    /// @dev A payload of `words` words, all zero but the one at `index`.
    function _only(uint256 words, uint256 index, uint256 word) private pure returns (bytes memory payload) {
        payload = new bytes(words * 32);
        assembly {
            mstore(add(add(payload, 32), mul(index, 32)), word)
        }
    }

    function testFuzz_bindingRoundTrip(ReportPayload.Binding calldata b) public view {
        assertEq(abi.encode(reader.binding(_words(b))), abi.encode(b));
    }

    function testFuzz_solvencyRoundTrip(ReportPayload.Solvency calldata s) public view {
        bytes memory payload = bytes.concat(new bytes(BINDING), _words(s));
        assertEq(payload.length, 384);
        assertEq(abi.encode(reader.solvency(payload)), abi.encode(s));
    }

    function testFuzz_roundRoundTrip(ReportPayload.Round calldata r) public view {
        bytes memory payload = bytes.concat(new bytes(BINDING), _words(r));
        assertEq(payload.length, 544);
        assertEq(abi.encode(reader.round(payload)), abi.encode(r));
    }

    function testFuzz_enclaveRoundTrip(ReportPayload.Enclave calldata e) public view {
        bytes memory payload = bytes.concat(new bytes(BINDING), _words(e));
        assertEq(payload.length, 352);
        assertEq(abi.encode(reader.enclave(payload)), abi.encode(e));
    }

    function testFuzz_payoutRoundTrip(ReportPayload.Payout calldata p) public view {
        bytes memory payload = bytes.concat(new bytes(BINDING), _words(p));
        assertEq(payload.length, 384);
        assertEq(abi.encode(reader.payout(payload)), abi.encode(p));
    }

    function testFuzz_refusesAnyOtherLength(uint256 length) public {
        length = bound(length, 0, 1024);
        bytes memory payload = new bytes(length);
        if (length < BINDING) {
            vm.expectRevert(abi.encodeWithSelector(ReportPayload.PayloadLength.selector, BINDING, length));
            reader.binding(payload);
        }
        if (length != 384) {
            vm.expectRevert(abi.encodeWithSelector(ReportPayload.PayloadLength.selector, 384, length));
            reader.solvency(payload);
            vm.expectRevert(abi.encodeWithSelector(ReportPayload.PayloadLength.selector, 384, length));
            reader.payout(payload);
        }
        if (length != 352) {
            vm.expectRevert(abi.encodeWithSelector(ReportPayload.PayloadLength.selector, 352, length));
            reader.enclave(payload);
        }
        if (length != 544) {
            vm.expectRevert(abi.encodeWithSelector(ReportPayload.PayloadLength.selector, 544, length));
            reader.round(payload);
        }
    }

    function _refuse(uint256 words, uint256 index, uint256 width, uint256 dirt, bytes4 selector) private {
        uint256 word = bound(dirt, 2 ** width, type(uint256).max);
        bytes memory payload = _only(words, index, word);
        (bool ok, bytes memory reason) = address(reader).staticcall(abi.encodeWithSelector(selector, payload));
        assertFalse(ok);
        assertEq(reason, abi.encodeWithSelector(ReportPayload.WordOutOfRange.selector, index, word));
    }

    function testFuzz_refusesDirtyBindingWords(uint256 dirt) public {
        bytes4 selector = ReportPayloadHarness.binding.selector;
        _refuse(7, 1, 160, dirt, selector);
        _refuse(7, 2, 8, dirt, selector);
        _refuse(7, 3, 64, dirt, selector);
        _refuse(7, 4, 64, dirt, selector);
        _refuse(7, 5, 64, dirt, selector);
    }

    function testFuzz_refusesDirtySolvencyWords(uint256 dirt) public {
        bytes4 selector = ReportPayloadHarness.solvency.selector;
        _refuse(12, 7, 8, dirt, selector);
        _refuse(12, 8, 64, dirt, selector);
        _refuse(12, 9, 64, dirt, selector);
    }

    function testFuzz_refusesDirtyRoundWords(uint256 dirt) public {
        bytes4 selector = ReportPayloadHarness.round.selector;
        _refuse(17, 8, 1, dirt, selector);
        _refuse(17, 9, 64, dirt, selector);
        _refuse(17, 12, 64, dirt, selector);
        _refuse(17, 14, 64, dirt, selector);
        _refuse(17, 15, 160, dirt, selector);
    }

    function testFuzz_refusesDirtyEnclaveWords(uint256 dirt) public {
        bytes4 selector = ReportPayloadHarness.enclave.selector;
        _refuse(11, 9, 160, dirt, selector);
        _refuse(11, 10, 64, dirt, selector);
    }

    function testFuzz_refusesDirtyPayoutWords(uint256 dirt) public {
        bytes4 selector = ReportPayloadHarness.payout.selector;
        _refuse(12, 8, 160, dirt, selector);
        _refuse(12, 9, 160, dirt, selector);
        _refuse(12, 11, 64, dirt, selector);
    }
}
