// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @notice A point of BLS12-381's G1 in three words: what EIP-2537 writes in 128 bytes, without the zeros.
/// @param high The upper 16 bytes of x, then those of y.
/// @param xLow The lower 32 bytes of x.
/// @param yLow The lower 32 bytes of y.
struct GroupKey {
    bytes32 high;
    bytes32 xLow;
    bytes32 yLow;
}

using {pack, unpack} for GroupKey global;

/// @dev Keeps `key`, 128 bytes of which the coordinates' upper 16 are zero.
function pack(GroupKey storage self, bytes memory key) {
    (uint256 xHigh, bytes32 xLow, uint256 yHigh, bytes32 yLow) = abi.decode(key, (uint256, bytes32, uint256, bytes32));
    (self.high, self.xLow, self.yLow) = (bytes32((xHigh << 128) | yHigh), xLow, yLow);
}

/// @dev The 128 bytes.
function unpack(GroupKey storage self) view returns (bytes memory) {
    uint256 high = uint256(self.high);
    // the lower half alone is meant
    // forge-lint: disable-next-line(unsafe-typecast)
    return abi.encode(high >> 128, self.xLow, uint256(uint128(high)), self.yLow);
}
