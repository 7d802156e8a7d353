// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IReceiver} from "./interfaces/IReceiver.sol";
import {IVaultEpoch} from "./interfaces/IVaultEpoch.sol";
import {ReportPayload} from "./libraries/ReportPayload.sol";
import {Ingress} from "./types/Ingress.sol";

/// @title The door through which reports come in
/// @notice A forwarder's signatures bind neither the receiver nor the chain, and a delivery that reverted can be
/// repeated by anyone at any later time. Every payload therefore names chain, receiver, kind, epoch, sequence and last
/// valid second, and this contract checks them all before an heir sees the rest.
///
/// The workflow's id, owner and name are checked where the receiver was given them; zero is not checked. One workflow id
/// stands for one version of a program: who wants to change programs leaves it zero, and checks owner and name. A name
/// belongs to an owner, and is refused without one.
///
/// *Layout* of the metadata (62 bytes, or 64 with the report id):
///
///   bytes     field
///   -------   ----------------------------------------------
///    0..32    workflow id
///   32..42    workflow name, ten hex characters
///   42..62    workflow owner
///   62..64    report id = kind of the payload, where present
abstract contract ReportReceiver is IReceiver {
    uint256 private constant METADATA_WITHOUT_ID = 62;
    uint256 private constant METADATA_WITH_ID = 64;

    /// @notice The only caller of `onReport`.
    address public immutable forwarder;
    /// @notice Workflow id that the metadata must name; zero where any may.
    bytes32 public immutable workflowId;
    /// @notice Workflow owner that the metadata must name; zero where any may.
    address public immutable workflowOwner;
    /// @notice Workflow name that the metadata of this receiver's principal kind must carry; zero where no kind's is checked.
    bytes10 public immutable workflowName;
    /// @notice Registry whose epoch every payload must name; zero where the epoch never changes.
    address public immutable vault;
    uint64 private immutable _fixedEpoch;

    /// @notice Sequence of the last accepted report of each kind.
    mapping(uint8 kind => uint64 sequence) public lastSequence;

    /// @notice An address that must exist is zero.
    error ZeroAddress(string what);
    /// @notice A contract is expected where there is none.
    error WithoutCode(string what, address found);
    /// @notice A workflow name is checked, but not whose.
    error NameWithoutOwner(bytes10 name);
    /// @notice The caller is not the forwarder.
    error InvalidSender(address expected, address found);
    /// @notice The metadata is neither 62 nor 64 bytes long.
    error MetadataLength(uint256 found);
    /// @notice The report comes from another workflow.
    error InvalidWorkflowId(bytes32 expected, bytes32 found);
    /// @notice The workflow has another name.
    error InvalidWorkflowName(bytes10 expected, bytes10 found);
    /// @notice The workflow belongs to another owner.
    error InvalidWorkflowOwner(address expected, address found);
    /// @notice The report id in the metadata is not the kind of the payload.
    error InvalidReportId(uint16 expected, uint16 found);
    /// @notice This receiver does not take reports of this kind.
    error UnexpectedKind(uint8 found);
    /// @notice The payload was signed for another chain.
    error WrongChain(uint256 expected, uint256 found);
    /// @notice The payload was signed for another receiver.
    error WrongReceiver(address expected, address found);
    /// @notice The payload was signed in another epoch.
    error WrongEpoch(uint64 expected, uint64 found);
    /// @notice A report of this kind with this or a later sequence was accepted before.
    error StaleSequence(uint64 last, uint64 found);
    /// @notice The payload's last valid second has passed.
    error ReportExpired(uint64 validUntil, uint256 timestamp);

    constructor(Ingress memory ingress) {
        if (ingress.forwarder == address(0)) revert ZeroAddress("forwarder");
        if (ingress.workflowName != 0 && ingress.workflowOwner == address(0)) {
            revert NameWithoutOwner(ingress.workflowName);
        }
        forwarder = ingress.forwarder;
        workflowId = ingress.workflowId;
        workflowOwner = ingress.workflowOwner;
        workflowName = ingress.workflowName;
        vault = ingress.vault;
        _fixedEpoch = ingress.epoch;
        if (ingress.vault == address(0)) return;
        if (ingress.vault.code.length == 0) revert WithoutCode("vault", ingress.vault);
        uint64 current = IVaultEpoch(ingress.vault).epoch();
        if (current != ingress.epoch) revert WrongEpoch(current, ingress.epoch);
    }

    /// @inheritdoc IReceiver
    function onReport(bytes calldata metadata, bytes calldata report) external {
        if (msg.sender != forwarder) revert InvalidSender(forwarder, msg.sender);
        ReportPayload.Binding memory binding = ReportPayload.binding(report);
        _checkMetadata(metadata, binding.kind);
        _checkBinding(binding);
        lastSequence[binding.kind] = binding.sequence;
        _process(binding, report);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == type(IReceiver).interfaceId || id == type(IERC165).interfaceId;
    }

    /// @notice Epoch that every payload must name now.
    function epoch() public view returns (uint64) {
        return vault == address(0) ? _fixedEpoch : IVaultEpoch(vault).epoch();
    }

    /// @dev Name of the workflow that makes reports of this kind. MUST revert with `UnexpectedKind` for a kind that the
    /// heir does not take.
    function _workflowNameOf(uint8 kind) internal view virtual returns (bytes10);

    /// @dev Acts on a report whose metadata and binding hold.
    function _process(ReportPayload.Binding memory binding, bytes calldata report) internal virtual;

    function _checkMetadata(bytes calldata metadata, uint8 kind) private view {
        if (metadata.length != METADATA_WITHOUT_ID && metadata.length != METADATA_WITH_ID) {
            revert MetadataLength(metadata.length);
        }
        bytes10 expectedName = _workflowNameOf(kind);
        bytes32 id = bytes32(metadata[0:32]);
        bytes10 name = bytes10(metadata[32:42]);
        address owner = address(bytes20(metadata[42:62]));
        if (workflowId != 0 && id != workflowId) revert InvalidWorkflowId(workflowId, id);
        if (workflowName != 0 && name != expectedName) revert InvalidWorkflowName(expectedName, name);
        if (workflowOwner != address(0) && owner != workflowOwner) revert InvalidWorkflowOwner(workflowOwner, owner);
        if (metadata.length == METADATA_WITH_ID) _checkReportId(uint16(bytes2(metadata[62:64])), kind);
    }

    function _checkReportId(uint16 found, uint8 kind) private pure {
        if (found != kind) revert InvalidReportId(kind, found);
    }

    function _checkBinding(ReportPayload.Binding memory b) private view {
        if (b.chain != block.chainid) revert WrongChain(block.chainid, b.chain);
        if (b.receiver != address(this)) revert WrongReceiver(address(this), b.receiver);
        uint64 current = epoch();
        if (b.epoch != current) revert WrongEpoch(current, b.epoch);
        uint64 last = lastSequence[b.kind];
        if (b.sequence <= last) revert StaleSequence(last, b.sequence);
        if (block.timestamp > b.validUntil) revert ReportExpired(b.validUntil, block.timestamp);
    }
}
