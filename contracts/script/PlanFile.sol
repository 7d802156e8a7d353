// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {VmSafe} from "forge-std/Vm.sol";

import {Committee} from "../src/types/Committee.sol";

/// @notice What is deployed, and to whom it is given.
/// @param admin Member of the manager's ADMIN role.
/// @param operator Member of OPERATOR and GUARDIAN; usually a multisig.
/// @param guardian Member of GUARDIAN without a delay.
/// @param delay Seconds that admin and operator wait; positive.
/// @param committee The vault's committee.
/// @param donId Committee id in the reports' headers.
/// @param configVersion Version of its signer set.
/// @param f Report signers that may be faulty.
/// @param signers Addresses of the report signers.
/// @param workflowId Workflow id in the reports' metadata; its first byte is zero.
/// @param workflowOwner Workflow owner in the reports' metadata.
/// @param agentKey Public key of the agent.
/// @param maxAge Seconds for which a solvency answer counts.
/// @param maxLifetime Most seconds that an enclave's expiry lies ahead.
/// @param reserve See `PoolConfig`, as the rest.
struct Plan {
    address admin;
    address operator;
    address guardian;
    uint32 delay;
    Committee committee;
    uint32 donId;
    uint32 configVersion;
    uint8 f;
    address[] signers;
    bytes32 workflowId;
    address workflowOwner;
    bytes32 agentKey;
    uint64 maxAge;
    uint64 maxLifetime;
    address reserve;
    address priceSource;
    bytes32 tableId;
    address[] tokens;
    uint64[] lots;
    uint64 fillWindow;
    uint64 maxDelay;
    uint64 exitDelay;
}

/// @title A plan as JSON
/// @notice The keys are the names of the fields; `contracts/script/plan.example.json` shows all.
library PlanFile {
    /// @notice A number does not fit its field.
    error OutOfRange(string key, uint256 max, uint256 found);
    /// @notice Who would own the contracts is nobody, or could act at once; or reports of any workflow would be taken.
    error Unguarded(string key);
    /// @notice Who disagrees with what admin or operator schedule could not leave before it takes effect.
    error DelayTooLong(uint256 exitDelay, uint256 delay);

    /// @notice Reads the plan in `file`.
    function read(VmSafe vm, string memory file) internal view returns (Plan memory) {
        return parse(vm, vm.readFile(file));
    }

    /// @notice Reads the plan in `json`.
    function parse(VmSafe vm, string memory json) internal pure returns (Plan memory p) {
        _readRoles(vm, json, p);
        _readCommittee(vm, json, p.committee);
        _readSigners(vm, json, p);
        _readReceivers(vm, json, p);
        _readPool(vm, json, p);
        if (2 * uint256(p.delay) >= p.exitDelay) revert DelayTooLong(p.exitDelay, p.delay);
    }

    function _readRoles(VmSafe vm, string memory json, Plan memory p) private pure {
        p.admin = vm.parseJsonAddress(json, ".admin");
        p.operator = vm.parseJsonAddress(json, ".operator");
        p.guardian = vm.parseJsonAddress(json, ".guardian");
        p.delay = uint32(_number(vm, json, ".delay", type(uint32).max));
        if (p.admin == address(0)) revert Unguarded("admin");
        if (p.operator == address(0)) revert Unguarded("operator");
        if (p.guardian == address(0)) revert Unguarded("guardian");
        if (p.delay == 0) revert Unguarded("delay");
    }

    function _readCommittee(VmSafe vm, string memory json, Committee memory c) private pure {
        c.epoch = _uint64(vm, json, ".epoch");
        c.faults = uint8(_number(vm, json, ".faults", type(uint8).max));
        c.participants = vm.parseJsonAddressArray(json, ".participants");
        c.masterKey = vm.parseJsonBytes32(json, ".masterKey");
        c.verificationRoot = vm.parseJsonBytes32(json, ".verificationRoot");
    }

    function _readSigners(VmSafe vm, string memory json, Plan memory p) private pure {
        p.donId = uint32(_number(vm, json, ".donId", type(uint32).max));
        p.configVersion = uint32(_number(vm, json, ".configVersion", type(uint32).max));
        p.f = uint8(_number(vm, json, ".f", type(uint8).max));
        p.signers = vm.parseJsonAddressArray(json, ".signers");
    }

    function _readReceivers(VmSafe vm, string memory json, Plan memory p) private pure {
        p.workflowId = vm.parseJsonBytes32(json, ".workflowId");
        p.workflowOwner = vm.parseJsonAddress(json, ".workflowOwner");
        if (p.workflowId == 0) revert Unguarded("workflowId");
        if (p.workflowOwner == address(0)) revert Unguarded("workflowOwner");
        p.agentKey = vm.parseJsonBytes32(json, ".agentKey");
        p.maxAge = _uint64(vm, json, ".maxAge");
        p.maxLifetime = _uint64(vm, json, ".maxLifetime");
    }

    function _readPool(VmSafe vm, string memory json, Plan memory p) private pure {
        p.reserve = vm.parseJsonAddress(json, ".reserve");
        p.priceSource = vm.parseJsonAddress(json, ".priceSource");
        p.tableId = vm.parseJsonBytes32(json, ".tableId");
        p.tokens = vm.parseJsonAddressArray(json, ".tokens");
        p.lots = _uint64s(vm, json, ".lots");
        p.fillWindow = _uint64(vm, json, ".fillWindow");
        p.maxDelay = _uint64(vm, json, ".maxDelay");
        p.exitDelay = _uint64(vm, json, ".exitDelay");
    }

    function _number(VmSafe vm, string memory json, string memory key, uint256 max) private pure returns (uint256 n) {
        n = vm.parseJsonUint(json, key);
        if (n > max) revert OutOfRange(key, max, n);
    }

    function _uint64(VmSafe vm, string memory json, string memory key) private pure returns (uint64) {
        return uint64(_number(vm, json, key, type(uint64).max));
    }

    function _uint64s(VmSafe vm, string memory json, string memory key) private pure returns (uint64[] memory numbers) {
        uint256[] memory wide = vm.parseJsonUintArray(json, key);
        numbers = new uint64[](wide.length);
        for (uint256 i = 0; i < wide.length; ++i) {
            if (wide[i] > type(uint64).max) revert OutOfRange(key, type(uint64).max, wide[i]);
            numbers[i] = uint64(wide[i]);
        }
    }
}
