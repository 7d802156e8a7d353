// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {console} from "forge-std/console.sol";

import {QuorumForwarder} from "../src/QuorumForwarder.sol";
import {CanonicalSignature} from "../src/libraries/CanonicalSignature.sol";
import {BareReceiver} from "./GasTable.t.sol";
import {BLS12381Harness, GroupFixture} from "./fixtures/GroupFixture.sol";
import {SignerFixture} from "./fixtures/SignerFixture.sol";

/// @notice The forwarder's loop over signatures without its bound: what 34 of them would cost.
contract ManySigners {
    mapping(address signer => uint256 position) private _positions;
    bytes32 public last;

    constructor(address[] memory signers) {
        for (uint256 i = 0; i < signers.length; ++i) {
            _positions[signers[i]] = i + 1;
        }
    }

    function check(bytes32 digest, bytes[] calldata signatures) external {
        uint256 seen = 0;
        for (uint256 i = 0; i < signatures.length; ++i) {
            uint256 position = _positions[CanonicalSignature.recover(digest, signatures[i])];
            uint256 bit = 1 << position;
            require(position != 0 && seen & bit == 0);
            seen |= bit;
        }
        last = digest;
    }
}

/// @notice The figures of a group's signature beside those of signers: forge test --match-contract GroupGas -vv
/// @dev Every call is a transaction of its own.
/// forge-config: default.isolate = true
contract GroupGasTest is SignerFixture, GroupFixture {
    uint256 internal constant GOAL_OF_A_VERIFICATION = 179_000;

    QuorumForwarder internal forwarder;

    function setUp() public {
        forwarder = new QuorumForwarder(address(this));
    }

    function _measure(string memory what, address to, bytes memory call) private returns (uint256 total) {
        (bool ok,) = to.call(call);
        total = vm.lastCallGas().gasTotalUsed;
        assertTrue(ok);
        uint256 execution = total - 21_000;
        for (uint256 i = 0; i < call.length; ++i) {
            execution -= call[i] == 0 ? 4 : 16;
        }
        console.log(what, execution, total);
    }

    function _bare(string memory what, bool group, uint256 count) private returns (uint256) {
        BareReceiver receiver = new BareReceiver();
        bytes memory metadata = abi.encodePacked(bytes32("workflow"), bytes10("name"), address(0xabcd), bytes2(0x0001));
        bytes memory raw = _rawReport(metadata, abi.encode(keccak256("bare")));
        bytes memory context = _context(forwarder.configDigest(DON, CONFIG_VERSION));
        bytes[] memory signatures = new bytes[](1);
        if (group) signatures[0] = _groupSign(GROUP_SECRET, abi.encodePacked(_digest(raw, context)));
        else signatures = _signAll(count, _digest(raw, context));
        bytes memory call = abi.encodeCall(forwarder.report, (address(receiver), raw, context, signatures));
        uint256 total = _measure(what, address(forwarder), call);
        assertNotEq(receiver.last(), 0);
        return total;
    }

    function _ofSigners(string memory what, uint8 f) private returns (uint256) {
        forwarder.setConfig(DON, CONFIG_VERSION, f, _signers(3 * uint256(f) + 1));
        return _bare(what, false, uint256(f) + 1);
    }

    function _ofGroup() private returns (uint256) {
        bytes memory key = _groupKey(GROUP_SECRET);
        bytes32 config = forwarder.groupConfigDigest(DON, CONFIG_VERSION, 33, 100, key);
        bytes memory possession = _groupSign(GROUP_SECRET, abi.encodePacked(forwarder.GROUP_POSSESSION(), config));
        bytes memory call = abi.encodeCall(forwarder.setGroupConfig, (DON, CONFIG_VERSION, 33, 100, key, possession));
        _measure("configuration of a group", address(forwarder), call);
        return _bare("bare report, group", true, 1);
    }

    function _loop(string memory what, uint256 count) private returns (uint256) {
        ManySigners many = new ManySigners(_signers(count));
        bytes32 digest = keccak256("digest");
        return _measure(what, address(many), abi.encodeCall(many.check, (digest, _signAll(count, digest))));
    }

    /// @dev The forwarder holds 31 signers, so at most 11 sign; 34 are what the loop costs more than with 11.
    function test_aGroupsSignatureBesideThoseOfSigners() public {
        uint256 four = _ofSigners("bare report, 4 signatures", 3);
        uint256 eleven = _ofSigners("bare report, 11 signatures", 10);
        uint256 group = _ofGroup();
        uint256 more = _loop("loop alone, 34 signatures", 34) - _loop("loop alone, 11 signatures", 11);
        console.log("bare report, 34 signatures", eleven + more);
        uint256 each = (eleven - four) / 7;
        uint256 crossover = 11 + (group - eleven + each - 1) / each;
        console.log("one signature more", each);
        console.log("a group costs less from so many signatures on", crossover);
        assertGt(group, eleven);
        assertLt(group, eleven + more);
        assertEq(crossover, 24);
    }

    function test_verificationAlone() public {
        BLS12381Harness library_ = new BLS12381Harness();
        bytes memory key = _groupKey(GROUP_SECRET);
        bytes memory signature = _groupSign(GROUP_SECRET, abi.encodePacked(keccak256("digest")));
        uint256 before = gasleft();
        assertTrue(library_.verify(key, abi.encodePacked(keccak256("digest")), signature));
        uint256 used = before - gasleft();
        console.log("verification of a group's signature", used);
        assertLe(used, GOAL_OF_A_VERIFICATION);
    }
}
