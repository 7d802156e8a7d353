// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title BLS signatures over BLS12-381, through the precompiles of EIP-2537
/// @notice Keys in G1, signatures in G2, messages hashed to G2 on chain.
///
/// *Layout*: a coordinate is 64 bytes, 16 zeros and 48 big-endian bytes below the modulus. A point of G1 is x ‖ y, 128
/// bytes; one of G2 is x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1, 256 bytes. The identity is all zeros.
///
/// *Source*: EIP-2537; RFC 9380, sections 5.3.1 and 8.8.2; the basic scheme of draft-irtf-cfrg-bls-signature, section 3.1.
///
/// *Security*: the pairing precompile checks the subgroup of each point, the addition does not: what the addition gives is
/// made of mapped points alone. A precompile that a chain does not have succeeds with nothing, so every answer's length
/// is checked. A precompile that refuses its input uses up the gas of its call. `mcopy` needs Cancun, the precompiles
/// Prague.
library BLS12381 {
    /// @notice Bytes of a key.
    uint256 internal constant G1_LENGTH = 128;
    /// @notice Bytes of a signature.
    uint256 internal constant G2_LENGTH = 256;
    /// @notice The tag that messages are hashed under: that of the basic scheme, as in blsttc.
    bytes internal constant DOMAIN = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";

    address private constant SHA256 = address(0x02);
    address private constant MODEXP = address(0x05);
    address private constant G2ADD = address(0x0d);
    address private constant PAIRING_CHECK = address(0x0f);
    address private constant MAP_FP2_TO_G2 = address(0x11);

    /// @dev The modulus: its upper 16 bytes, and its lower 32.
    uint256 private constant P_HIGH = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant P_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
    /// @dev The generator of G1, y negated.
    uint256 private constant G1_X_HIGH = 0x17f1d3a73197d7942695638c4fa9ac0f;
    uint256 private constant G1_X_LOW = 0xc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb;
    uint256 private constant MINUS_G1_Y_HIGH = 0x114d1d6855d545a8aa7d76c8cf2e21f2;
    uint256 private constant MINUS_G1_Y_LOW = 0x67816aef1db507c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca;

    /// @notice A precompile refused its input, or the chain has none at this address.
    error PrecompileFailed(address precompile, uint256 expected, uint256 found);
    /// @notice A point has another length.
    error InvalidPointLength(uint256 expected, uint256 found);
    /// @notice A coordinate, counted from 0, is not below the modulus or has something in its upper 16 bytes.
    error InvalidCoordinate(uint256 index);
    /// @notice A key or signature is the identity.
    error IdentityPoint();
    /// @notice A tag of more than 255 bytes.
    error DomainTooLong(uint256 found);

    /// @notice Refuses what is no encoding of a point other than the identity. Curve and subgroup are the pairing's to check.
    /// @param length `G1_LENGTH` or `G2_LENGTH`.
    function checkPoint(bytes memory point, uint256 length) internal pure {
        if (point.length != length) revert InvalidPointLength(length, point.length);
        uint256 bits = 0;
        for (uint256 i = 0; i < length / 64; ++i) {
            (uint256 high, uint256 low) = _coordinate(point, i);
            if (high > P_HIGH || (high == P_HIGH && low >= P_LOW)) revert InvalidCoordinate(i);
            bits |= high | low;
        }
        if (bits == 0) revert IdentityPoint();
    }

    /// @notice Whether `key` made `signature` over `message`: e(−G, signature)·e(key, H(message)) = 1.
    /// @dev Reverts where key or signature is no point of its group or the identity, and without the precompiles.
    function verify(bytes memory key, bytes memory message, bytes memory signature) internal view returns (bool valid) {
        checkPoint(key, G1_LENGTH);
        checkPoint(signature, G2_LENGTH);
        uint256 pairs = _allocate(768);
        assembly ("memory-safe") {
            mstore(pairs, G1_X_HIGH)
            mstore(add(pairs, 0x20), G1_X_LOW)
            mstore(add(pairs, 0x40), MINUS_G1_Y_HIGH)
            mstore(add(pairs, 0x60), MINUS_G1_Y_LOW)
            mcopy(add(pairs, 0x80), add(signature, 0x20), 0x100)
            mcopy(add(pairs, 0x180), add(key, 0x20), 0x80)
        }
        _hashToG2(message, DOMAIN, pairs + 512);
        _call(PAIRING_CHECK, pairs, 768, pairs, 32);
        assembly ("memory-safe") {
            valid := eq(mload(pairs), 1)
        }
    }

    /// @notice hash_to_curve of the suite BLS12381G2_XMD:SHA-256_SSWU_RO_.
    function hashToG2(bytes memory message, bytes memory domain) internal view returns (bytes memory point) {
        point = new bytes(G2_LENGTH);
        _hashToG2(message, domain, _content(point));
    }

    /// @dev Two elements of Fp2, both mapped, and the sum. The map clears the cofactor.
    function _hashToG2(bytes memory message, bytes memory domain, uint256 out) private view {
        uint256 elements = _expandMessage(message, domain);
        uint256 points = _allocate(512);
        _reduce(elements);
        _call(MAP_FP2_TO_G2, elements, 128, points, 256);
        _call(MAP_FP2_TO_G2, elements + 128, 128, points + 256, 256);
        _call(G2ADD, points, 512, out, 256);
    }

    /// @dev expand_message_xmd to 256 bytes with SHA-256.
    function _expandMessage(bytes memory message, bytes memory domain) private view returns (uint256 out) {
        if (domain.length > 255) revert DomainTooLong(domain.length);
        bytes memory tag = abi.encodePacked(domain, uint8(domain.length));
        bytes memory first = abi.encodePacked(uint256(0), uint256(0), message, uint16(256), uint8(0), tag);
        // b_0 xor b_(i-1), i, tag; word and number are put in below.
        bytes memory next = abi.encodePacked(uint256(0), uint8(0), tag);
        out = _allocate(256);
        _call(SHA256, _content(first), first.length, out, 32);
        uint256 b0;
        uint256 previous = 0;
        assembly ("memory-safe") {
            b0 := mload(out)
        }
        for (uint256 i = 1; i <= 8; ++i) {
            uint256 place = out + 32 * (i - 1);
            assembly ("memory-safe") {
                mstore(add(next, 0x20), xor(b0, previous))
                mstore8(add(next, 0x40), i)
            }
            _call(SHA256, _content(next), next.length, place, 32);
            assembly ("memory-safe") {
                previous := mload(place)
            }
        }
    }

    /// @dev Each of the four 64-byte numbers at `elements` becomes its remainder: x^1 mod p.
    function _reduce(uint256 elements) private view {
        bytes memory input =
            abi.encodePacked(uint256(64), uint256(1), uint256(64), uint256(0), uint256(0), uint8(1), P_HIGH, P_LOW);
        for (uint256 i = 0; i < 4; ++i) {
            uint256 place = elements + 64 * i;
            assembly ("memory-safe") {
                mcopy(add(input, 0x80), place, 0x40)
            }
            _call(MODEXP, _content(input), input.length, place, 64);
        }
    }

    function _call(address precompile, uint256 input, uint256 length, uint256 out, uint256 expected) private view {
        bool success;
        uint256 found;
        assembly ("memory-safe") {
            success := staticcall(gas(), precompile, input, length, out, expected)
            found := returndatasize()
        }
        if (!success || found != expected) revert PrecompileFailed(precompile, expected, found);
    }

    function _coordinate(bytes memory point, uint256 index) private pure returns (uint256 high, uint256 low) {
        assembly ("memory-safe") {
            let place := add(add(point, 0x20), mul(index, 0x40))
            high := mload(place)
            low := mload(add(place, 0x20))
        }
    }

    function _content(bytes memory data) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := add(data, 0x20)
        }
    }

    /// @dev `length` is a multiple of 32.
    function _allocate(uint256 length) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
            mstore(0x40, add(place, length))
        }
    }
}
