// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title The forwarder's header of a raw report
/// @notice Reads the 109 bytes in front of the payload.
///
/// *Layout*: packed, big-endian.
///
///   bytes      field
///   --------   ------------------------------
///     0..1     version, 1
///     1..33    workflow execution id
///    33..37    timestamp
///    37..41    DON id
///    41..45    DON configuration version
///    45..77    workflow id            ┐
///    77..87    workflow name          │ metadata,
///    87..107   workflow owner         │ 64 bytes
///   107..109   report id              ┘
///   109..      payload
library ReportHeader {
    /// @notice Bytes in front of the payload.
    uint256 internal constant LENGTH = 109;
    /// @notice Where the receiver's metadata begins.
    uint256 internal constant METADATA_OFFSET = 45;
    /// @notice The only version there is.
    uint8 internal constant VERSION = 1;

    /// @notice The report is shorter than its header.
    error InvalidReport();
    /// @notice The header has another version.
    error InvalidReportVersion(uint8 expected, uint8 found);

    /// @notice Checks length and version.
    function check(bytes calldata raw) internal pure {
        if (raw.length < LENGTH) revert InvalidReport();
        if (uint8(raw[0]) != VERSION) revert InvalidReportVersion(VERSION, uint8(raw[0]));
    }

    /// @notice Identifier of the workflow's execution.
    function executionId(bytes calldata raw) internal pure returns (bytes32) {
        return bytes32(raw[1:33]);
    }

    /// @notice DON id and configuration version: `donId << 32 | version`.
    function configId(bytes calldata raw) internal pure returns (uint64) {
        return uint64(bytes8(raw[37:45]));
    }

    /// @notice Report id.
    function reportId(bytes calldata raw) internal pure returns (bytes2) {
        return bytes2(raw[107:109]);
    }

    /// @notice What the receiver gets as metadata.
    function metadata(bytes calldata raw) internal pure returns (bytes calldata) {
        return raw[METADATA_OFFSET:LENGTH];
    }

    /// @notice What the receiver gets as report.
    function payload(bytes calldata raw) internal pure returns (bytes calldata) {
        return raw[LENGTH:];
    }
}
