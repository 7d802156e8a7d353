// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {Permit} from "../types/Permit.sol";

/// @title The tokens of a pool
/// @notice Maps asset indices to tokens, takes tokens in and gives them out, and counts what is in custody.
///
/// *Security*: a token whose balances change without a transfer, or that takes a fee, MUST NOT be listed. A fee is
/// noticed at each deposit and refused. A balance that has shrunk is noticed at the next deposit, which is refused: nobody
/// is led to fill a hole. A balance that has grown is a gift: it is nobody's, and never paid out.
library AssetList {
    using SafeERC20 for IERC20;

    /// @notice Most assets of a pool; the constructor compares them pair by pair.
    uint256 internal constant MAX_ASSETS = 64;

    /// @notice Most decimal places of a token.
    uint256 internal constant MAX_DECIMALS = 36;

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
    /// @notice There is no contract at a token's address.
    error TokenWithoutCode(address token);
    /// @notice The token does not say how many decimal places it has.
    error DecimalsUnknown(address token);
    /// @notice The token has too many decimal places.
    error TooManyDecimals(address token, uint256 max, uint256 found);
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
    /// @notice The pool holds less of the token than came in and did not go out.
    error CustodyShrunk(address token, uint256 expected, uint256 found);
    /// @notice More of the token would go out than came in.
    error CustodyExceeded(address token, uint256 custody, uint256 amount);
    /// @notice The pool held less of the token after it had taken some in.
    error BalanceFell(address token, uint256 before, uint256 found);
    /// @notice The token did not deliver what was sent.
    error UnexpectedTransfer(uint256 expected, uint256 found);

    /// @notice Fills an empty list.
    function fill(Asset[] storage self, address[] memory tokens, uint64[] memory lots) internal {
        uint256 count = tokens.length;
        if (count == 0 || count > MAX_ASSETS || count != lots.length) revert AssetCount(count, lots.length);
        for (uint256 i = 0; i < count; ++i) {
            if (tokens[i] == address(0) || contains(self, tokens[i])) revert InvalidToken(tokens[i]);
            if (lots[i] == 0) revert ZeroLot(tokens[i]);
            self.push(Asset(tokens[i], decimalsOf(tokens[i]), lots[i]));
        }
    }

    /// @notice Decimal places of a token; anything but a word of at most `MAX_DECIMALS` is refused.
    /// @dev A low-level call: `try` would let an answer that is no word revert without a reason.
    // slither-disable-next-line low-level-calls
    function decimalsOf(address token) internal view returns (uint8) {
        if (token.code.length == 0) revert TokenWithoutCode(token);
        (bool ok, bytes memory data) = token.staticcall(abi.encodeCall(IERC20Metadata.decimals, ()));
        if (!ok || data.length != 32) revert DecimalsUnknown(token);
        uint256 found = abi.decode(data, (uint256));
        if (found > MAX_DECIMALS) revert TooManyDecimals(token, MAX_DECIMALS, found);
        // Fits: at most MAX_DECIMALS.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint8(found);
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

    /// @notice Asks the token to let the pool take `amount` from the caller.
    /// @dev Fails silently: a permit that somebody else has handed in first must not undo the deposit, and without an
    /// allowance the deposit is refused by the token.
    function usePermit(Asset memory self, uint256 amount, Permit calldata p) internal {
        try IERC20Permit(self.token).permit(msg.sender, address(this), amount, p.deadline, p.v, p.r, p.s) {} catch {}
    }

    /// @notice Takes exactly `amount` from the caller and adds it to what is in custody.
    function takeIn(Asset memory self, mapping(address token => uint256 amount) storage custody, uint256 amount)
        internal
    {
        IERC20 token = IERC20(self.token);
        uint256 held = custody[self.token];
        custody[self.token] = held + amount;
        uint256 before = token.balanceOf(address(this));
        if (before < held) revert CustodyShrunk(self.token, held, before);
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 found = token.balanceOf(address(this));
        if (found < before) revert BalanceFell(self.token, before, found);
        if (found - before != amount) revert UnexpectedTransfer(amount, found - before);
    }

    /// @notice Gives out `amount`, never more than is in custody.
    function giveOut(
        mapping(address token => uint256 amount) storage custody,
        address token,
        address to,
        uint256 amount
    ) internal {
        uint256 held = custody[token];
        if (amount > held) revert CustodyExceeded(token, held, amount);
        custody[token] = held - amount;
        IERC20(token).safeTransfer(to, amount);
    }
}
