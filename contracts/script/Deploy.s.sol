// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Script} from "forge-std/Script.sol";

import {CREDarkPool} from "../src/CREDarkPool.sol";
import {EnclaveRegistry} from "../src/EnclaveRegistry.sol";
import {QuorumForwarder} from "../src/QuorumForwarder.sol";
import {ReserveAttestation} from "../src/ReserveAttestation.sol";
import {VaultRegistry} from "../src/VaultRegistry.sol";
import {Committee} from "../src/types/Committee.sol";
import {Ingress} from "../src/types/Ingress.sol";
import {PoolConfig} from "../src/types/PoolConfig.sol";
import {Plan, PlanFile} from "./PlanFile.sol";

/// @title Puts the contracts on a chain and gives them away
/// @notice forge script contracts/script/Deploy.s.sol --sig 'run(string)' plan.json --rpc-url … --broadcast
///
/// Afterwards the deployer holds nothing. The manager owns the forwarder and decides who pauses the pool:
///
///   role       functions                          members
///   --------   --------------------------------   -----------------------------------------------
///   OPERATOR   setConfig, setGroupConfig, unpause operator, after the delay
///   GUARDIAN   clearConfig, pause                 guardian, at once; operator, after the delay
///   ADMIN      everything else of the manager     admin, after the delay
///
/// *Security*: what adds power waits, what takes it away does not. The guardian may cancel what the operator scheduled, be
/// it a new set or the clearing of one.
contract Deploy is Script {
    /// @notice Who sets signer sets and resumes, after the delay.
    uint64 public constant OPERATOR = 1;
    /// @notice Who stops, at once.
    uint64 public constant GUARDIAN = 2;

    /// @notice What stands on the chain afterwards.
    struct Deployment {
        AccessManager manager;
        QuorumForwarder forwarder;
        VaultRegistry vault;
        EnclaveRegistry enclaves;
        ReserveAttestation attestation;
        CREDarkPool pool;
    }

    /// @notice Deploys what the file says, from the account that broadcasts.
    function run(string calldata file) external returns (Deployment memory d) {
        Plan memory plan = PlanFile.read(vm, file);
        vm.startBroadcast();
        d = deploy(plan, msg.sender);
        vm.stopBroadcast();
    }

    /// @notice Deploys `plan`; `deployer` is whoever the calls come from.
    /// @dev The deployer gives up the ADMIN role at the end: were it the admin, the manager would have none.
    function deploy(Plan memory plan, address deployer) public returns (Deployment memory d) {
        if (plan.admin == deployer) revert PlanFile.Unguarded("admin");
        d.manager = new AccessManager(deployer);
        d.forwarder = _forwarder(plan, d.manager, deployer);
        d.vault = new VaultRegistry(plan.committee);
        d.enclaves = new EnclaveRegistry(_ingress(plan, d, "ccc-enclave"), plan.maxLifetime);
        d.attestation = new ReserveAttestation(_ingress(plan, d, "ccc-solvency"), plan.agentKey, plan.maxAge);
        d.pool = new CREDarkPool(_poolConfig(plan, d));
        _assignFunctions(d);
        _grantRoles(plan, d.manager, deployer);
    }

    /// @notice The name of a workflow as the forwarder's header carries it: ten hex characters of its SHA-256.
    function workflowName(string memory name) public pure returns (bytes10) {
        bytes32 hash = sha256(bytes(name));
        bytes16 digits = "0123456789abcdef";
        bytes memory text = new bytes(10);
        for (uint256 i = 0; i < 10; ++i) {
            uint8 byte_ = uint8(hash[i / 2]);
            text[i] = digits[i % 2 == 0 ? byte_ >> 4 : byte_ & 15];
        }
        // Exact: the text has ten bytes.
        // forge-lint: disable-next-line(unsafe-typecast)
        return bytes10(text);
    }

    function _forwarder(Plan memory plan, AccessManager manager, address deployer)
        private
        returns (QuorumForwarder forwarder)
    {
        forwarder = new QuorumForwarder(deployer);
        forwarder.setConfig(plan.donId, plan.configVersion, plan.f, plan.signers);
        forwarder.transferOwnership(address(manager));
        manager.execute(address(forwarder), abi.encodeCall(forwarder.acceptOwnership, ()));
    }

    function _ingress(Plan memory plan, Deployment memory d, string memory workflow)
        private
        pure
        returns (Ingress memory)
    {
        return Ingress({
            forwarder: address(d.forwarder),
            workflowId: plan.workflowId,
            workflowOwner: plan.workflowOwner,
            workflowName: workflowName(workflow),
            epoch: plan.committee.epoch,
            vault: address(d.vault)
        });
    }

    function _poolConfig(Plan memory plan, Deployment memory d) private pure returns (PoolConfig memory c) {
        c.ingress = _ingress(plan, d, "ccc-round");
        c.authority = address(d.manager);
        (c.reserve, c.priceSource, c.tableId) = (plan.reserve, plan.priceSource, plan.tableId);
        (c.tokens, c.lots) = (plan.tokens, plan.lots);
        (c.fillWindow, c.maxDelay, c.exitDelay) = (plan.fillWindow, plan.maxDelay, plan.exitDelay);
    }

    function _assignFunctions(Deployment memory d) private {
        _assign(d.manager, address(d.forwarder), d.forwarder.setConfig.selector, OPERATOR);
        _assign(d.manager, address(d.forwarder), d.forwarder.setGroupConfig.selector, OPERATOR);
        _assign(d.manager, address(d.forwarder), d.forwarder.clearConfig.selector, GUARDIAN);
        _assign(d.manager, address(d.pool), d.pool.unpause.selector, OPERATOR);
        _assign(d.manager, address(d.pool), d.pool.pause.selector, GUARDIAN);
    }

    function _assign(AccessManager manager, address target, bytes4 selector, uint64 role) private {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        manager.setTargetFunctionRole(target, selectors, role);
    }

    function _grantRoles(Plan memory plan, AccessManager manager, address deployer) private {
        manager.setRoleGuardian(OPERATOR, GUARDIAN);
        manager.setRoleGuardian(GUARDIAN, GUARDIAN);
        manager.grantRole(OPERATOR, plan.operator, plan.delay);
        manager.grantRole(GUARDIAN, plan.operator, plan.delay);
        manager.grantRole(GUARDIAN, plan.guardian, 0);
        uint64 admin = manager.ADMIN_ROLE();
        manager.grantRole(admin, plan.admin, plan.delay);
        manager.renounceRole(admin, deployer);
    }
}
