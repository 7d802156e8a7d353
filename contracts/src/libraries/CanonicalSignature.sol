// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title A secp256k1 signature of which there is one
/// @notice r ‖ s ‖ v, 65 bytes; s in the lower half of the order; v is 0 or 1.
library CanonicalSignature {
    uint256 private constant LENGTH = 65;
    /// @dev The greatest s: half the order of secp256k1, rounded down.
    uint256 private constant GREATEST_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice The signature is not 65 bytes, has a high s or another v, or recovers to nobody.
    error InvalidSignature(bytes signature);

    /// @notice The address whose key made `signature` over `digest`; never zero.
    /// @dev r and s of zero, or not below the order, recover to nobody.
    function recover(bytes32 digest, bytes calldata signature) internal pure returns (address signer) {
        if (signature.length != LENGTH) revert InvalidSignature(signature);
        bytes32 r;
        bytes32 s;
        uint8 v;
        // The length was checked: this reads what slices read, without checking it three times more.
        assembly ("memory-safe") {
            r := calldataload(signature.offset)
            s := calldataload(add(signature.offset, 0x20))
            v := byte(0, calldataload(add(signature.offset, 0x40)))
        }
        if (v > 1 || uint256(s) > GREATEST_S) revert InvalidSignature(signature);
        signer = ecrecover(digest, v + 27, r, s);
        if (signer == address(0)) revert InvalidSignature(signature);
    }
}
