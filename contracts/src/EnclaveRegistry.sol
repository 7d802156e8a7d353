// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ReportPayload} from "./libraries/ReportPayload.sol";
import {ReportReceiver} from "./ReportReceiver.sol";
import {Ingress} from "./types/Ingress.sol";

/// @title Which enclaves the committee trusts
/// @notice A list of measurements (which program may run) and a list of enclaves (which instance of it holds which
/// keys). Only quorum reports of kind 3 move them. A report signer is to ask `isCurrent` before it signs, and
/// to refuse what an enclave says that is not; the pool does not ask.
///
/// *Layout*: which words of a report are zero says what it does; anything else is refused.
///
///   measurement   boxKey   signer   expiry      effect
///   -----------   ------   ------   ---------   ------------------------------------------------
///   m             0        0        t           measurement m is allowed until t, inclusive
///   m             0        0        0           measurement m is no longer allowed
///   m             k        s        t           the enclave that signs as s is admitted until t
///   0             0        s        0           the enclave that signs as s is revoked for ever
///
/// *Security*: one kind and one sequence for all four, so that an admission that was delayed is dead once a later
/// revocation was delivered; also where it would have been the first: who was never admitted can be revoked, for ever.
/// An enclave is admitted in an epoch and by its committee: after a handover the next one admits it again. What an
/// enclave is (measurement, box key) never changes under its signing address. A handover of the vault does not move the
/// forwarder's signer set, which signs these reports: with it belong the forwarder's `setConfig` of the new set and
/// `clearConfig` of the old one.
contract EnclaveRegistry is ReportReceiver {
    /// @notice How an enclave stands.
    enum Standing {
        Unknown,
        Current,
        Revoked,
        Expired,
        OtherEpoch,
        MeasurementNotAllowed
    }

    /// @param measurement Digest of the program.
    /// @param boxKey Public key that inputs for it are sealed to.
    /// @param epoch Epoch in which it was admitted last.
    /// @param expiry Last Unix second at which it is current.
    /// @param revoked Whether it was revoked, for ever.
    struct Enclave {
        bytes32 measurement;
        bytes32 boxKey;
        uint64 epoch;
        uint64 expiry;
        bool revoked;
    }

    /// @notice Most seconds that an enclave's expiry lies ahead.
    uint64 public immutable maxLifetime;

    /// @notice Last Unix second at which a measurement is allowed; zero for one that is not.
    mapping(bytes32 measurement => uint64 expiry) public allowedUntil;
    mapping(address signer => Enclave enclave) private _enclaves;

    /// @notice A measurement may run until `expiry`; with zero, no longer.
    event MeasurementAllowed(bytes32 indexed measurement, uint64 expiry, bytes32 attestation);
    /// @notice An enclave was admitted, or for longer than before.
    event EnclaveAdmitted(
        address indexed signer,
        bytes32 indexed measurement,
        bytes32 boxKey,
        uint64 epoch,
        uint64 expiry,
        bytes32 attestation
    );
    /// @notice An enclave was revoked for ever, admitted before or not.
    event EnclaveRevoked(address indexed signer, bytes32 attestation);

    /// @notice The longest lifetime is zero.
    error ZeroLifetime();
    /// @notice The words do not say one of the four things.
    error EnclaveReportMalformed(bytes32 measurement, bytes32 boxKey, address signer, uint64 expiry);
    /// @notice The expiry has passed or lies too far ahead.
    error ExpiryOutOfRange(uint256 now_, uint256 last, uint64 found);
    /// @notice The program is not, or no longer, on the list.
    error MeasurementNotAllowed(bytes32 measurement, uint64 allowedUntil);
    /// @notice The enclave was revoked.
    error EnclaveIsRevoked(address signer);
    /// @notice The signing address belongs to an enclave with another program or box key.
    error EnclaveDiffers(bytes32 measurement, bytes32 boxKey);

    constructor(Ingress memory ingress, uint64 maxLifetime_) ReportReceiver(ingress) {
        if (maxLifetime_ == 0) revert ZeroLifetime();
        maxLifetime = maxLifetime_;
    }

    /// @notice Whether a report signer may believe what the enclave that signs as `signer` says.
    function isCurrent(address signer) external view returns (bool) {
        return standing(signer) == Standing.Current;
    }

    /// @notice The enclave that signs as `signer`; all zero but `revoked` where none was admitted.
    function enclave(address signer) external view returns (Enclave memory) {
        return _enclaves[signer];
    }

    /// @notice How the enclave that signs as `signer` stands now; the first reason against it.
    function standing(address signer) public view returns (Standing) {
        Enclave memory e = _enclaves[signer];
        if (e.revoked) return Standing.Revoked;
        if (e.measurement == 0) return Standing.Unknown;
        if (block.timestamp > e.expiry) return Standing.Expired;
        if (e.epoch != epoch()) return Standing.OtherEpoch;
        if (block.timestamp > allowedUntil[e.measurement]) return Standing.MeasurementNotAllowed;
        return Standing.Current;
    }

    /// @inheritdoc ReportReceiver
    function _workflowNameOf(uint8 kind) internal view override returns (bytes10) {
        if (kind != ReportPayload.ENCLAVE) revert UnexpectedKind(kind);
        return workflowName;
    }

    /// @inheritdoc ReportReceiver
    function _process(ReportPayload.Binding memory binding, bytes calldata report) internal override {
        ReportPayload.Enclave memory e = ReportPayload.enclave(report);
        bool ofInstance = e.signer != address(0);
        if (e.measurement == 0 && e.boxKey == 0 && ofInstance && e.expiry == 0) _revoke(e.signer, binding.attestation);
        else if (e.measurement == 0) _refuse(e);
        else if (e.boxKey == 0 && !ofInstance) _allow(e.measurement, e.expiry, binding.attestation);
        else if (e.boxKey == 0 || !ofInstance || e.expiry == 0) _refuse(e);
        else _admit(e, binding);
    }

    function _refuse(ReportPayload.Enclave memory e) private pure {
        revert EnclaveReportMalformed(e.measurement, e.boxKey, e.signer, e.expiry);
    }

    function _revoke(address signer, bytes32 attestation) private {
        Enclave storage e = _enclaves[signer];
        if (e.revoked) revert EnclaveIsRevoked(signer);
        e.revoked = true;
        emit EnclaveRevoked(signer, attestation);
    }

    function _allow(bytes32 measurement, uint64 expiry, bytes32 attestation) private {
        if (expiry != 0 && expiry < block.timestamp) {
            revert ExpiryOutOfRange(block.timestamp, type(uint64).max, expiry);
        }
        allowedUntil[measurement] = expiry;
        emit MeasurementAllowed(measurement, expiry, attestation);
    }

    function _admit(ReportPayload.Enclave memory e, ReportPayload.Binding memory binding) private {
        uint256 last = block.timestamp + maxLifetime;
        if (e.expiry < block.timestamp || e.expiry > last) revert ExpiryOutOfRange(block.timestamp, last, e.expiry);
        uint64 until = allowedUntil[e.measurement];
        if (block.timestamp > until) revert MeasurementNotAllowed(e.measurement, until);
        Enclave storage known = _enclaves[e.signer];
        if (known.revoked) revert EnclaveIsRevoked(e.signer);
        if (known.measurement != 0 && (known.measurement != e.measurement || known.boxKey != e.boxKey)) {
            revert EnclaveDiffers(known.measurement, known.boxKey);
        }
        _enclaves[e.signer] = Enclave(e.measurement, e.boxKey, binding.epoch, e.expiry, false);
        emit EnclaveAdmitted(e.signer, e.measurement, e.boxKey, binding.epoch, e.expiry, binding.attestation);
    }
}
