// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {KeystoneForwarder} from "@chainlink/contracts/src/v0.8/keystone/KeystoneForwarder.sol";

import {CREDarkPool} from "../src/CREDarkPool.sol";
import {QuorumForwarder} from "../src/QuorumForwarder.sol";
import {OperationLog} from "../src/libraries/OperationLog.sol";
import {ReportHeader} from "../src/libraries/ReportHeader.sol";
import {ReportPayload} from "../src/libraries/ReportPayload.sol";
import {ReportFixture} from "./fixtures/ReportFixture.sol";
import {RecordingReceiver} from "./fixtures/Receivers.sol";
import {Vectors} from "./fixtures/Vectors.sol";
import {OperationLogHarness} from "./libraries/OperationLog.t.sol";
import {ReportPayloadHarness} from "./libraries/ReportPayload.t.sol";

contract ReportHeaderHarness {
    using ReportHeader for bytes;

    function split(bytes calldata raw)
        external
        pure
        returns (bytes32 executionId, uint64 configId, bytes2 reportId, bytes memory metadata, bytes memory payload)
    {
        raw.check();
        return (raw.executionId(), raw.configId(), raw.reportId(), raw.metadata(), raw.payload());
    }
}

/// @notice Reports and accumulator of the independent implementation.
contract ReportVectorsTest is ReportFixture, Vectors {
    string internal constant REPORTS = ".reports";
    string internal constant OPERATIONS = ".accumulator";

    QuorumForwarder internal quorum;
    ReportHeaderHarness internal headers;
    ReportPayloadHarness internal payloads;

    function setUp() public {
        _load("report.json");
        vm.chainId(_uint(".config.chain"));
        address place = _address(".config.forwarder");
        deployCodeTo("QuorumForwarder.sol:QuorumForwarder", abi.encode(address(this)), place);
        quorum = QuorumForwarder(place);
        headers = new ReportHeaderHarness();
        payloads = new ReportPayloadHarness();
    }

    function _signers() private view returns (address[] memory signers) {
        string[] memory texts = vm.parseJsonStringArray(json, ".config.signers");
        signers = new address[](texts.length);
        for (uint256 i = 0; i < texts.length; ++i) {
            signers[i] = vm.parseAddress(string.concat("0x", texts[i]));
        }
    }

    function test_configDigest() public {
        uint32 don = uint32(_uint(".config.don_id"));
        uint32 version = uint32(_uint(".config.config_version"));
        quorum.setConfig(don, version, uint8(_uint(".config.fault_tolerance")), _signers());
        assertEq(quorum.configDigest(don, version), _bytes32(".config_digest"));
    }

    function test_headersAndTransmissionIds() public view {
        uint256 i = 0;
        for (; _has(REPORTS, i); ++i) {
            bytes memory raw = _bytes(_at(REPORTS, i, "raw_report"));
            (bytes32 executionId, uint64 configId, bytes2 reportId, bytes memory metadata, bytes memory payload) =
                headers.split(raw);
            assertEq(executionId, _bytes32(_at(REPORTS, i, "execution_id")));
            assertEq(configId >> 32, _uint(_at(REPORTS, i, "don_id")));
            assertEq(configId & 0xffffffff, _uint(_at(REPORTS, i, "config_version")));
            assertEq(uint16(reportId), _uint(_at(REPORTS, i, "kind")));
            assertEq(metadata, _bytes(_at(REPORTS, i, "metadata")));
            assertEq(payload, _bytes(_at(REPORTS, i, "payload")));
            assertEq(
                quorum.getTransmissionId(_address(_at(REPORTS, i, "receiver")), executionId, reportId),
                _bytes32(_at(REPORTS, i, "transmission_id"))
            );
        }
        assertGt(i, 3);
    }

    function test_payloadsReadAndWrittenAgain() public view {
        uint256 seen;
        for (uint256 i = 0; _has(REPORTS, i); ++i) {
            bytes memory payload = _bytes(_at(REPORTS, i, "payload"));
            ReportPayload.Binding memory b = payloads.binding(payload);
            assertEq(b.kind, _uint(_at(REPORTS, i, "kind")));
            assertEq(b.receiver, _address(_at(REPORTS, i, "receiver")));
            assertEq(b.sequence, _uint(_at(REPORTS, i, "sequence")));
            assertEq(b.validUntil, _uint(_at(REPORTS, i, "valid_until")));
            assertEq(b.attestation, _bytes32(_at(REPORTS, i, "attestation")));
            assertEq(bytes.concat(_words(b), _body(b.kind, payload)), payload);
            seen |= 1 << b.kind;
        }
        assertEq(seen, 0x1e);
    }

    function _body(uint8 kind, bytes memory payload) private view returns (bytes memory) {
        if (kind == ReportPayload.SOLVENCY) return _words(payloads.solvency(payload));
        if (kind == ReportPayload.ROUND) return _words(payloads.round(payload));
        if (kind == ReportPayload.ENCLAVE) return _words(payloads.enclave(payload));
        return _words(payloads.payout(payload));
    }

    /// @dev Two of four keys of the test's own sign the digest that the vectors give.
    function test_reportsPassTheRealForwarder() public {
        KeystoneForwarder theirs = new KeystoneForwarder();
        address[] memory signers = new address[](4);
        for (uint256 j = 0; j < 4; ++j) {
            signers[j] = vm.addr(j + 1);
        }
        theirs.setConfig(uint32(_uint(".config.don_id")), uint32(_uint(".config.config_version")), 1, signers);
        RecordingReceiver receiver = new RecordingReceiver();
        uint256 i = 0;
        for (; _has(REPORTS, i); ++i) {
            bytes32 digest = _bytes32(_at(REPORTS, i, "digest"));
            bytes[] memory signatures = new bytes[](2);
            (signatures[0], signatures[1]) = (_sign(1, digest), _sign(4, digest));
            bytes memory context = _bytes(_at(REPORTS, i, "context"));
            theirs.report(address(receiver), _bytes(_at(REPORTS, i, "raw_report")), context, signatures);
            assertEq(receiver.metadata(), _bytes(_at(REPORTS, i, "metadata")));
            assertEq(receiver.report(), _bytes(_at(REPORTS, i, "payload")));
        }
        assertEq(receiver.deliveries(), i);
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v - 27);
    }

    function test_roundFields() public view {
        string memory fields = string.concat(REPORTS, "[1].fields");
        ReportPayload.Round memory r = payloads.round(_bytes(_at(REPORTS, 1, "payload")));
        assertEq(r.requestId, _bytes32(string.concat(fields, ".request_id")));
        assertTrue(r.success);
        assertEq(r.version, _uint(string.concat(fields, ".version")));
        assertEq(r.previous, _bytes32(string.concat(fields, ".previous")));
        assertEq(r.headerHash, _bytes32(string.concat(fields, ".header_hash")));
        assertEq(r.count, _uint(string.concat(fields, ".count")));
        assertEq(r.accumulator, _bytes32(string.concat(fields, ".accumulator")));
        assertEq(r.priceBlock, _uint(string.concat(fields, ".price_block")));
        assertEq(r.source, _address(string.concat(fields, ".source")));
        assertEq(r.priceDigest, _bytes32(string.concat(fields, ".price_digest")));
    }

    /// @dev The pool takes payouts under the name that the vectors give to reports of that kind.
    function test_payoutWorkflowName() public {
        CREDarkPool pool = CREDarkPool(makeAddr("pool"));
        vm.etch(address(pool), vm.getDeployedCode("CREDarkPool.sol:CREDarkPool"));
        for (uint256 i = 0; _has(REPORTS, i); ++i) {
            if (_uint(_at(REPORTS, i, "kind")) != ReportPayload.PAYOUT) continue;
            assertEq(abi.encodePacked(pool.PAYOUT_WORKFLOW_NAME()), _bytes(_at(REPORTS, i, "workflow_name")));
        }
    }

    function test_accumulator() public {
        OperationLogHarness log_ = new OperationLogHarness();
        uint256 i = 0;
        for (; _has(OPERATIONS, i); ++i) {
            log_.append(_operation(i));
            assertEq(log_.value(uint64(i + 1)), _bytes32(_at(OPERATIONS, i, "accumulator")));
        }
        assertGt(i, 2);
    }

    function _operation(uint256 i) private view returns (OperationLog.Operation memory) {
        return OperationLog.Operation({
            kind: uint8(_uint(_at(OPERATIONS, i, "kind"))),
            who: _address(_at(OPERATIONS, i, "who")),
            token: _address(_at(OPERATIONS, i, "token")),
            amount: vm.parseUint(_text(_at(OPERATIONS, i, "amount"))),
            ciphertextHash: keccak256(_bytes(_at(OPERATIONS, i, "ciphertext")))
        });
    }
}
