// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";

import {Deploy} from "../../script/Deploy.s.sol";
import {Plan, PlanFile} from "../../script/PlanFile.sol";
import {QuorumForwarder} from "../../src/QuorumForwarder.sol";
import {RecordingReceiver} from "../fixtures/Receivers.sol";
import {SignerFixture} from "../fixtures/SignerFixture.sol";
import {TestToken} from "../../src/test-tokens/TestToken.sol";

/// @notice What the script leaves behind, and how signer sets change there.
contract DeployTest is SignerFixture {
    uint32 internal constant DELAY = 2 days;
    uint32 internal constant OVERLAP = 1 days;
    uint8 internal constant F = 1;

    Deploy internal script;
    Plan internal plan;
    Deploy.Deployment internal d;
    QuorumForwarder internal forwarder;
    RecordingReceiver internal receiver;

    function setUp() public {
        vm.warp(1_700_000_000);
        script = new Deploy();
        plan = PlanFile.read(vm, "contracts/script/plan.example.json");
        plan.tokens[0] = address(new TestToken("Dollar", "USD", 6));
        plan.tokens[1] = address(new TestToken("Coin", "BTC", 8));
        (plan.donId, plan.configVersion, plan.signers) = (DON, CONFIG_VERSION, _set(0));
        d = script.deploy(plan, address(script));
        (forwarder, receiver) = (d.forwarder, new RecordingReceiver());
    }

    function _set(uint256 first) private pure returns (address[] memory signers) {
        signers = new address[](4);
        for (uint256 i = 0; i < 4; ++i) {
            signers[i] = vm.addr(_key(first + i));
        }
    }

    // What stands there

    function test_theManagerOwnsTheForwarder() public view {
        assertEq(forwarder.owner(), address(d.manager));
        assertEq(d.pool.authority(), address(d.manager));
        assertNotEq(forwarder.configDigest(DON, CONFIG_VERSION), 0);
    }

    function test_receiversFollowTheVaultsEpoch() public view {
        assertEq(d.vault.epoch(), plan.committee.epoch);
        assertEq(d.attestation.vault(), address(d.vault));
        assertEq(d.enclaves.vault(), address(d.vault));
        assertEq(d.pool.epoch(), plan.committee.epoch);
        assertEq(d.pool.forwarder(), address(forwarder));
    }

    function test_workflowNamesAreTheirHashes() public view {
        assertEq(script.workflowName("ccc-payout"), d.pool.PAYOUT_WORKFLOW_NAME());
        assertEq(d.pool.workflowName(), script.workflowName("ccc-round"));
        assertEq(d.attestation.workflowName(), script.workflowName("ccc-solvency"));
        assertEq(d.enclaves.workflowName(), script.workflowName("ccc-enclave"));
    }

    function test_nobodyKeepsPowerWithoutDelay() public view {
        uint64 admin = d.manager.ADMIN_ROLE();
        (bool isMember,) = d.manager.hasRole(admin, address(script));
        assertFalse(isMember);
        uint32 delay;
        (isMember, delay) = d.manager.hasRole(admin, plan.admin);
        assertTrue(isMember);
        assertEq(delay, DELAY);
        (isMember, delay) = d.manager.hasRole(script.OPERATOR(), plan.operator);
        assertTrue(isMember);
        assertEq(delay, DELAY);
        (isMember,) = d.manager.hasRole(script.OPERATOR(), plan.guardian);
        assertFalse(isMember);
    }

    function test_guardianPausesAtOnceAndOnlyTheOperatorResumesLater() public {
        vm.prank(plan.guardian);
        d.pool.pause();
        assertTrue(d.pool.paused());
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, plan.guardian));
        vm.prank(plan.guardian);
        d.pool.unpause();
        bytes memory call = abi.encodeCall(d.pool.unpause, ());
        _schedule(address(d.pool), call, DELAY);
        vm.warp(block.timestamp + DELAY);
        vm.prank(plan.operator);
        d.pool.unpause();
        assertFalse(d.pool.paused());
    }

    function test_refusesPlanWithoutGuards() public {
        string memory json = vm.readFile("contracts/script/plan.example.json");
        string[4] memory keys = ["admin", "operator", "guardian", "delay"];
        for (uint256 i = 0; i < keys.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(PlanFile.Unguarded.selector, keys[i]));
            this.check(_without(json, keys[i]));
        }
    }

    function test_refusesPlanThatTakesReportsOfAnyWorkflow() public {
        string memory json = vm.readFile("contracts/script/plan.example.json");
        vm.expectRevert(abi.encodeWithSelector(PlanFile.Unguarded.selector, "workflowId"));
        this.check(vm.replace(json, "00cc", "0000"));
        vm.expectRevert(abi.encodeWithSelector(PlanFile.Unguarded.selector, "workflowOwner"));
        this.check(vm.replace(json, "0770", "0000"));
    }

    function test_refusesTheDeployerAsAdmin() public {
        plan.admin = address(script);
        vm.expectRevert(abi.encodeWithSelector(PlanFile.Unguarded.selector, "admin"));
        script.deploy(plan, address(script));
    }

    function test_refusesDelayOfHalfTheExitDelayAndMore() public {
        string memory json = vm.readFile("contracts/script/plan.example.json");
        this.check(vm.replace(json, '"exitDelay": 604800', '"exitDelay": 345601'));
        vm.expectRevert(abi.encodeWithSelector(PlanFile.DelayTooLong.selector, 2 * DELAY, DELAY));
        this.check(vm.replace(json, '"exitDelay": 604800', '"exitDelay": 345600'));
    }

    function test_refusesNumbersThatDoNotFit() public {
        string memory json = vm.readFile("contracts/script/plan.example.json");
        string memory wide = vm.replace(json, '"exitDelay": 604800', '"exitDelay": 18446744073709551616');
        vm.expectRevert(abi.encodeWithSelector(PlanFile.OutOfRange.selector, ".exitDelay", 2 ** 64 - 1, 2 ** 64));
        this.check(wide);
    }

    function check(string calldata json) external pure {
        PlanFile.parse(vm, json);
    }

    function _without(string memory json, string memory key) private view returns (string memory) {
        string memory value = keccak256(bytes(key)) == keccak256("delay")
            ? "172800"
            : string.concat('"', vm.toLowercase(vm.toString(vm.parseJsonAddress(json, string.concat(".", key)))), '"');
        string memory start = string.concat('"', key, '": ');
        string memory nothing =
            keccak256(bytes(key)) == keccak256("delay") ? "0" : '"0x0000000000000000000000000000000000000000"';
        return vm.replace(json, string.concat(start, value), string.concat(start, nothing));
    }

    // Signer sets

    function _setCall(uint32 version, address[] memory signers) private pure returns (bytes memory) {
        return abi.encodeCall(QuorumForwarder.setConfig, (DON, version, F, signers));
    }

    function _clearCall(uint32 version) private pure returns (bytes memory) {
        return abi.encodeCall(QuorumForwarder.clearConfig, (DON, version));
    }

    function _schedule(address target, bytes memory call, uint256 after_) private {
        vm.prank(plan.operator);
        d.manager.schedule(target, call, uint48(block.timestamp + after_));
    }

    function _execute(bytes memory call) private {
        vm.prank(plan.operator);
        d.manager.execute(address(forwarder), call);
    }

    function _refuseExecution(bytes memory call, bytes4 reason) private {
        bytes32 operation = d.manager.hashOperation(plan.operator, address(forwarder), call);
        vm.expectRevert(abi.encodeWithSelector(reason, operation));
        _execute(call);
    }

    /// @dev Whether a report of the set with this version, signed by signers first and first+1, is delivered.
    function _delivers(uint32 version, uint256 first, uint256 execution) private returns (bool) {
        bytes memory metadata = new bytes(64);
        bytes memory raw = abi.encodePacked(uint8(1), execution, uint32(0), DON, version, metadata, hex"c0ffee");
        bytes memory context = _context(forwarder.configDigest(DON, version));
        bytes32 digest = _digest(raw, context);
        bytes[] memory signatures = new bytes[](2);
        (signatures[0], signatures[1]) = (_sign(first, digest), _sign(first + 1, digest));
        (bool ok,) = address(forwarder)
            .call(abi.encodeCall(QuorumForwarder.report, (address(receiver), raw, context, signatures)));
        return ok;
    }

    function test_newSetOnlyAfterItsDelayAndOldSetUntilItIsClearedAfterTheOverlap_n148() public {
        bytes memory set = _setCall(CONFIG_VERSION + 1, _set(10));
        bytes memory clear = _clearCall(CONFIG_VERSION);
        _refuseExecution(set, IAccessManager.AccessManagerNotScheduled.selector);
        _schedule(address(forwarder), set, DELAY);
        _schedule(address(forwarder), clear, DELAY + OVERLAP);
        vm.warp(block.timestamp + DELAY - 1);
        _refuseExecution(set, IAccessManager.AccessManagerNotReady.selector);
        assertFalse(_delivers(CONFIG_VERSION + 1, 10, 1));
        assertTrue(_delivers(CONFIG_VERSION, 0, 2));
        vm.warp(block.timestamp + 1);
        _execute(set);
        assertTrue(_delivers(CONFIG_VERSION + 1, 10, 3));
        assertTrue(_delivers(CONFIG_VERSION, 0, 4));
        vm.warp(block.timestamp + OVERLAP - 1);
        _refuseExecution(clear, IAccessManager.AccessManagerNotReady.selector);
        vm.warp(block.timestamp + 1);
        assertTrue(_delivers(CONFIG_VERSION, 0, 5));
        _execute(clear);
        assertFalse(_delivers(CONFIG_VERSION, 0, 6));
        assertTrue(_delivers(CONFIG_VERSION + 1, 10, 7));
    }

    function test_refusesScheduleBelowTheDelay_n148() public {
        bytes memory set = _setCall(CONFIG_VERSION + 1, _set(10));
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessManager.AccessManagerUnauthorizedCall.selector,
                plan.operator,
                address(forwarder),
                QuorumForwarder.setConfig.selector
            )
        );
        _schedule(address(forwarder), set, DELAY - 1);
    }

    function test_replacingASetInPlaceWaitsToo_n148() public {
        bytes memory set = _setCall(CONFIG_VERSION, _set(10));
        _refuseExecution(set, IAccessManager.AccessManagerNotScheduled.selector);
        _schedule(address(forwarder), set, DELAY);
        vm.warp(block.timestamp + DELAY);
        _execute(set);
        assertFalse(_delivers(CONFIG_VERSION, 0, 1));
        assertTrue(_delivers(CONFIG_VERSION, 10, 2));
    }

    function test_refusesEmptyAndRepeatedSetsAfterTheDelay_n148() public {
        bytes memory empty = _setCall(CONFIG_VERSION + 1, new address[](0));
        address[] memory twice = _set(10);
        twice[3] = twice[0];
        bytes memory repeated = _setCall(CONFIG_VERSION + 1, twice);
        _schedule(address(forwarder), empty, DELAY);
        _schedule(address(forwarder), repeated, DELAY);
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(QuorumForwarder.InsufficientSigners.selector, 0, 4));
        _execute(empty);
        vm.expectRevert(abi.encodeWithSelector(QuorumForwarder.DuplicateSigner.selector, twice[0]));
        _execute(repeated);
        assertTrue(_delivers(CONFIG_VERSION, 0, 1));
    }

    function test_guardianCancelsAScheduledSet_n148() public {
        bytes memory set = _setCall(CONFIG_VERSION + 1, _set(10));
        _schedule(address(forwarder), set, DELAY);
        vm.prank(plan.guardian);
        d.manager.cancel(plan.operator, address(forwarder), set);
        vm.warp(block.timestamp + DELAY);
        _refuseExecution(set, IAccessManager.AccessManagerNotScheduled.selector);
    }

    function test_guardianCancelsAScheduledClearing_n148() public {
        bytes memory clear = _clearCall(CONFIG_VERSION);
        _schedule(address(forwarder), clear, DELAY);
        vm.prank(plan.guardian);
        d.manager.cancel(plan.operator, address(forwarder), clear);
        vm.warp(block.timestamp + DELAY);
        _refuseExecution(clear, IAccessManager.AccessManagerNotScheduled.selector);
        assertTrue(_delivers(CONFIG_VERSION, 0, 1));
    }

    function test_guardianClearsAStolenSetAtOnce_n148() public {
        vm.prank(plan.guardian);
        d.manager.execute(address(forwarder), _clearCall(CONFIG_VERSION));
        assertFalse(_delivers(CONFIG_VERSION, 0, 1));
    }

    function test_refusesStrangersAndTheAdminsShortcut_n148() public {
        address[] memory set = _set(10);
        address[3] memory others = [plan.admin, plan.operator, plan.guardian];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, others[i]));
            vm.prank(others[i]);
            forwarder.setConfig(DON, CONFIG_VERSION, F, set);
        }
        bytes memory take = abi.encodeCall(forwarder.transferOwnership, (plan.admin));
        bytes32 operation = d.manager.hashOperation(plan.admin, address(forwarder), take);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, operation));
        vm.prank(plan.admin);
        d.manager.execute(address(forwarder), take);
    }
}
