// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title What became of a delivery
/// @notice States and figures of one transmission, field for field as Chainlink's `IRouter` gives them.
interface ITransmission {
    /// @notice `FAILED` may be tried again by anyone; `SUCCEEDED` and `INVALID_RECEIVER` are final.
    enum TransmissionState {
        NOT_ATTEMPTED,
        SUCCEEDED,
        INVALID_RECEIVER,
        FAILED
    }

    /// @param transmissionId keccak256(receiver ‖ execution id ‖ report id).
    /// @param state Where the delivery stands.
    /// @param transmitter Who made the last attempt.
    /// @param invalidReceiver Whether the receiver is not an `IReceiver`.
    /// @param success Whether the receiver accepted.
    /// @param gasLimit Gas that the last attempt left for the receiver.
    struct TransmissionInfo {
        bytes32 transmissionId;
        TransmissionState state;
        address transmitter;
        bool invalidReceiver;
        bool success;
        uint80 gasLimit;
    }
}
