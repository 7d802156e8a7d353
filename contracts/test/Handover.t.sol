// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {CREDarkPool} from "../src/CREDarkPool.sol";
import {EnclaveRegistry} from "../src/EnclaveRegistry.sol";
import {ReportReceiver} from "../src/ReportReceiver.sol";
import {VaultRegistry} from "../src/VaultRegistry.sol";
import {RequestBook} from "../src/libraries/RequestBook.sol";
import {ReportPayload} from "../src/libraries/ReportPayload.sol";
import {Committee} from "../src/types/Committee.sol";
import {Ingress} from "../src/types/Ingress.sol";
import {PoolConfig} from "../src/types/PoolConfig.sol";
import {PoolFixture} from "./fixtures/PoolFixture.sol";
import {SignerFixture} from "./fixtures/SignerFixture.sol";

/// @notice A pool and an enclave registry that follow a vault, while its committee and its enclaves change.
contract HandoverTest is PoolFixture, SignerFixture {
    bytes10 internal constant ENCLAVE_NAME = "abcdefghij";
    bytes32 internal constant PROGRAM = keccak256("program");

    address internal immutable instance = makeAddr("instance");

    VaultRegistry internal vault;
    EnclaveRegistry internal enclaves;

    function setUp() public override {
        super.setUp();
        vault = new VaultRegistry(_committee(EPOCH));
        PoolConfig memory c = _config(address(usd), address(btc));
        c.ingress.vault = address(vault);
        pool = new CREDarkPool(c);
        _fund(usd);
        Ingress memory ingress = _ingress(ENCLAVE_NAME);
        ingress.vault = address(vault);
        enclaves = new EnclaveRegistry(ingress, 30 days);
        _tell(ReportPayload.Enclave(PROGRAM, 0, address(0), uint64(block.timestamp) + 90 days));
        _tell(_admission());
    }

    function _committee(uint64 epoch) private pure returns (Committee memory) {
        return Committee(epoch, 1, _signers(4), "master key", keccak256(abi.encode(epoch)));
    }

    function _handOver() private {
        Committee memory next = _committee(vault.epoch() + 1);
        uint64 until = uint64(block.timestamp) + 600;
        vault.handOver(next, until, _signAll(3, vault.handoverDigest(next, until)));
    }

    function _admission() private view returns (ReportPayload.Enclave memory) {
        return ReportPayload.Enclave(PROGRAM, keccak256("box"), instance, uint64(block.timestamp) + 10 days);
    }

    function _tell(ReportPayload.Enclave memory e) private {
        ReportPayload.Binding memory b = _binding(address(enclaves), 3, ++sequence);
        b.epoch = vault.epoch();
        vm.prank(forwarder);
        enclaves.onReport(_metadata(ENCLAVE_NAME, 3), bytes.concat(_words(b), _words(e)));
    }

    /// @dev A round report of the current epoch.
    function _report(ReportPayload.Round memory r) private {
        ReportPayload.Binding memory b = _binding(address(pool), 2, ++sequence);
        b.epoch = vault.epoch();
        vm.prank(forwarder);
        pool.onReport(_metadata(ROUND_NAME, 2), bytes.concat(_words(b), _words(r)));
    }

    /// @dev The pool asks no registry: what a quorum signs counts. Report signers have to ask before they sign.
    function test_thePoolTakesAQuorumsWordWhereverTheEnclaveStands() public {
        bytes32 id = _requestCollateral("request", 600);
        assertTrue(enclaves.isCurrent(instance));
        _tell(ReportPayload.Enclave(0, 0, instance, 0));
        assertFalse(enclaves.isCurrent(instance));
        vm.warp(block.timestamp + 600);
        _report(_settling(id, true));
        (,, uint8 status,) = pool.request(id);
        assertEq(status, uint8(RequestBook.Status.Filled));
    }

    function test_reportsOfTheOldEpochAreDeadAfterAHandover_n116() public {
        bytes memory late = _payload(_idle());
        _handOver();
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.WrongEpoch.selector, EPOCH + 1, EPOCH));
        vm.prank(forwarder);
        pool.onReport(_metadata(ROUND_NAME, 2), late);
        assertFalse(enclaves.isCurrent(instance));
        _tell(_admission());
        assertTrue(enclaves.isCurrent(instance));
        _report(_idle());
        assertEq(pool.tableVersion(), 1);
        assertEq(pool.epoch(), EPOCH + 1);
    }

    function test_theEpochBeginsWhereTheVaultIs() public {
        _handOver();
        PoolConfig memory c = _config(address(usd), address(btc));
        c.ingress.vault = address(vault);
        vm.expectRevert(abi.encodeWithSelector(ReportReceiver.WrongEpoch.selector, EPOCH + 1, EPOCH));
        new CREDarkPool(c);
    }

    function test_roundFitsTheForwardersLeastGas() public {
        _deposit(USD, 1, "deposit");
        bytes32 id = _requestCollateral("request", 600);
        vm.warp(block.timestamp + 600);
        bytes memory payload = _payload(_settling(id, true));
        vm.cool(address(pool));
        vm.cool(address(vault));
        vm.prank(forwarder);
        pool.onReport{gas: 130_000}(_metadata(ROUND_NAME, 2), payload);
        assertEq(pool.tableVersion(), 1);
    }
}
