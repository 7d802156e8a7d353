// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title The tokens of a pool
/// @notice Maps asset indices to tokens and takes tokens in.
///
/// *Security*: a token whose balances change without a transfer, or that takes a fee, MUST NOT be listed. A fee is
/// noticed at each deposit and refused; a rebase cannot be noticed.
library AssetList {
    using SafeERC20 for IERC20;

    /// @notice Most assets of a pool; the constructor compares them pair by pair.
    uint256 internal constant MAX_ASSETS = 64;

    /// @param token The ERC-20 contract.
    /// @param decimals Its decimal places, read once.
    /// @param lot Base units per lot.
    struct Asset {
        address token;
        uint8 decimals;
        uint64 lot;
    }

    /// @notice There are no assets, too many, or not one lot for each.
    error AssetCount(uint256 tokens, uint256 lots);
    /// @notice A token is zero or appears twice.
    error InvalidToken(address token);
    /// @notice A lot is zero.
    error ZeroLot(address token);
    /// @notice No asset has this index.
    error UnknownAsset(uint256 assets, uint32 found);
    /// @notice The amount is zero.
    error ZeroAmount();
    /// @notice The amount is more than a row of the table can hold.
    error AmountTooLarge(uint256 max, uint256 found);
    /// @notice The amount is not a whole number of lots.
    error NotWholeLots(uint64 lot, uint256 found);
    /// @notice The token did not deliver what was sent.
    error UnexpectedTransfer(uint256 expected, uint256 found);

    /// @notice Fills an empty list.
    function fill(Asset[] storage self, address[] memory tokens, uint64[] memory lots) internal {
        uint256 count = tokens.length;
        if (count == 0 || count > MAX_ASSETS || count != lots.length) revert AssetCount(count, lots.length);
        for (uint256 i = 0; i < count; ++i) {
            if (tokens[i] == address(0) || contains(self, tokens[i])) revert InvalidToken(tokens[i]);
            if (lots[i] == 0) revert ZeroLot(tokens[i]);
            self.push(Asset(tokens[i], IERC20Metadata(tokens[i]).decimals(), lots[i]));
        }
    }

    /// @notice The asset with this index.
    function get(Asset[] storage self, uint32 index) internal view returns (Asset memory) {
        if (index >= self.length) revert UnknownAsset(self.length, index);
        return self[index];
    }

    /// @notice Whether one of the assets is this token. The list is bounded by `MAX_ASSETS`.
    function contains(Asset[] storage self, address token) internal view returns (bool) {
        uint256 count = self.length;
        for (uint256 i = 0; i < count; ++i) {
            if (self[i].token == token) return true;
        }
        return false;
    }

    /// @notice Checks an amount that would enter the table.
    function checkDeposit(Asset memory self, uint256 amount) internal pure {
        if (amount == 0) revert ZeroAmount();
        if (amount > type(uint128).max) revert AmountTooLarge(type(uint128).max, amount);
        if (amount % self.lot != 0) revert NotWholeLots(self.lot, amount);
    }

    /// @notice Takes exactly `amount` from the caller.
    function pullFromSender(Asset memory self, uint256 amount) internal {
        IERC20 token = IERC20(self.token);
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert UnexpectedTransfer(amount, received);
    }
}
