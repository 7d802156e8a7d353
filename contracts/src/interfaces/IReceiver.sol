// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title What a forwarder delivers a report to
/// @notice Called by the forwarder that checked the quorum's signatures. ERC-165 id: 0x805f2132.
interface IReceiver is IERC165 {
    /// @notice Takes a signed report.
    /// @param metadata workflow id 32 ‖ workflow name 10 ‖ workflow owner 20, and from most forwarders ‖ report id 2.
    /// @param report The payload behind the forwarder's header.
    function onReport(bytes calldata metadata, bytes calldata report) external;
}
