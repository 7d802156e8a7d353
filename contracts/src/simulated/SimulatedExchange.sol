// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IUniswapFactory, IUniswapPool, IUniswapQuoter, IUniswapRouter} from "../interfaces/IUniswapV3.sol";

/// @title Simulated exchange
/// @notice One pool, its router, its quoter and its factory in one contract, with the interfaces of Uniswap V3. It stands
/// where no Uniswap is: on the embedded chain. Its owner invents the depth; money of value MUST NOT go through it.
/// @dev Liquidity lies over all prices, and nobody takes it out. A trade gives to the unit what a Uniswap V3 pool gives
/// whose only position is the full range, as long as the price stays within 256 tick spacings that their bitmap keeps
/// in one word; beyond, theirs rounds once more. Seconds per liquidity are not kept and read as zero.
///
/// Source: Uniswap v3 core, white paper of March 2021, sections 5.2 (observations) and 6.2 (trades).
contract SimulatedExchange is IUniswapFactory, IUniswapPool, IUniswapQuoter, IUniswapRouter, Ownable {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    struct Observation {
        uint32 time;
        int56 tickCumulative;
        bool initialized;
    }

    /// @notice Says by its name what it is.
    string public constant typeAndVersion = "SimulatedExchange 1.0.0";
    uint256 private constant MILLION = 1_000_000;
    uint256 private constant Q96 = 1 << 96;
    /// @dev 2^64 / log2(√1.0001).
    int256 private constant TICKS_PER_DOUBLING = 255_738_958_999_603_826_347_140;

    /// @inheritdoc IUniswapPool
    address public immutable token0;
    /// @inheritdoc IUniswapPool
    address public immutable token1;
    /// @inheritdoc IUniswapPool
    uint24 public immutable fee;
    /// @inheritdoc IUniswapPool
    uint128 public liquidity;

    uint160 private _sqrtPrice;
    uint16 private _newest;
    uint16 private _cardinality = 1;
    uint16 private _cardinalityNext = 1;
    mapping(uint256 index => Observation observation) private _observations;

    /// @notice The tokens are one, zero or not in order.
    error TokenOrder(address token0, address token1);
    /// @notice The fee is everything or more.
    error FeeTooHigh(uint24 fee);
    /// @notice The price is zero or beyond what the pool counts with.
    error PriceOutOfRange(uint256 sqrtPriceX96);
    /// @notice No such pool is here.
    error PoolUnknown(address tokenIn, address tokenOut, uint24 fee);
    /// @notice A trade of nothing, or of more than 2^95 − 1.
    error AmountOutOfRange(uint256 amountIn);
    /// @notice This exchange knows no price limit; the least amount is the guard.
    error PriceLimitUnknown(uint160 sqrtPriceLimitX96);
    /// @notice The trade gives less than the caller takes.
    error TooLittleReceived(uint256 minimum, uint256 found);
    /// @notice The trade comes after its deadline.
    error TransactionTooOld(uint256 deadline, uint256 current);
    /// @notice No observation is that old.
    error ObservationTooOld(uint32 secondsAgo);

    constructor(address token0_, address token1_, uint24 fee_, uint160 sqrtPriceX96) Ownable(msg.sender) {
        if (token0_ == address(0) || token0_ >= token1_) revert TokenOrder(token0_, token1_);
        if (fee_ >= MILLION) revert FeeTooHigh(fee_);
        (token0, token1, fee) = (token0_, token1_, fee_);
        _setPrice(sqrtPriceX96);
        _observations[0] = Observation(uint32(block.timestamp), 0, true);
    }

    /// @notice Takes from the owner what `added` more liquidity needs at the current price.
    function addLiquidity(uint128 added) external onlyOwner {
        liquidity += added;
        uint256 amount0 = Math.mulDiv(added, Q96, _sqrtPrice, Math.Rounding.Ceil);
        uint256 amount1 = Math.mulDiv(added, _sqrtPrice, Q96, Math.Rounding.Ceil);
        IERC20(token0).safeTransferFrom(msg.sender, address(this), amount0);
        IERC20(token1).safeTransferFrom(msg.sender, address(this), amount1);
    }

    /// @inheritdoc IUniswapPool
    function increaseObservationCardinalityNext(uint16 next) external {
        if (next > _cardinalityNext) _cardinalityNext = next;
    }

    /// @inheritdoc IUniswapRouter
    function exactInputSingle(ExactInputSingleParams calldata p) external payable returns (uint256 amountOut) {
        if (block.timestamp > p.deadline) revert TransactionTooOld(p.deadline, block.timestamp);
        bool zeroForOne = _direction(p.tokenIn, p.tokenOut, p.fee, p.sqrtPriceLimitX96);
        uint160 next;
        (amountOut, next) = _trade(zeroForOne, p.amountIn);
        if (amountOut < p.amountOutMinimum) revert TooLittleReceived(p.amountOutMinimum, amountOut);
        _move(next);
        _emitSwap(zeroForOne, p.recipient, p.amountIn, amountOut);
        IERC20(p.tokenIn).safeTransferFrom(msg.sender, address(this), p.amountIn);
        IERC20(p.tokenOut).safeTransfer(p.recipient, amountOut);
    }

    /// @inheritdoc IUniswapQuoter
    function quoteExactInputSingle(QuoteExactInputSingleParams memory p)
        external
        view
        returns (uint256 amountOut, uint160 sqrtPriceX96After, uint32 initializedTicksCrossed, uint256 gasEstimate)
    {
        bool zeroForOne = _direction(p.tokenIn, p.tokenOut, p.fee, p.sqrtPriceLimitX96);
        (amountOut, sqrtPriceX96After) = _trade(zeroForOne, p.amountIn);
        return (amountOut, sqrtPriceX96After, 0, 0);
    }

    /// @inheritdoc IUniswapPool
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityCumulativeX128s)
    {
        tickCumulatives = new int56[](secondsAgos.length);
        secondsPerLiquidityCumulativeX128s = new uint160[](secondsAgos.length);
        for (uint256 i = 0; i < secondsAgos.length; ++i) {
            tickCumulatives[i] = _cumulativeAt(secondsAgos[i]);
        }
    }

    /// @inheritdoc IUniswapPool
    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool) {
        return (_sqrtPrice, _tick(), _newest, _cardinality, _cardinalityNext, 0, true);
    }

    /// @inheritdoc IUniswapPool
    function observations(uint256 index) external view returns (uint32, int56, uint160, bool) {
        Observation memory o = _observations[index];
        return (o.time, o.tickCumulative, 0, o.initialized);
    }

    /// @inheritdoc IUniswapFactory
    function getPool(address tokenA, address tokenB, uint24 fee_) external view returns (address) {
        bool own = (tokenA == token0 && tokenB == token1) || (tokenA == token1 && tokenB == token0);
        return own && fee_ == fee ? address(this) : address(0);
    }

    /// @notice This contract: it is its own factory.
    function factory() external view override(IUniswapPool, IUniswapQuoter, IUniswapRouter) returns (address) {
        return address(this);
    }

    function _direction(address tokenIn, address tokenOut, uint24 fee_, uint160 limit) private view returns (bool) {
        if (limit != 0) revert PriceLimitUnknown(limit);
        bool zeroForOne = tokenIn == token0 && tokenOut == token1;
        bool known = zeroForOne || (tokenIn == token1 && tokenOut == token0);
        if (!known || fee_ != fee) revert PoolUnknown(tokenIn, tokenOut, fee_);
        return zeroForOne;
    }

    /// @dev Both roundings are against the caller.
    function _trade(bool zeroForOne, uint256 amountIn) private view returns (uint256 amountOut, uint160 next) {
        if (amountIn == 0 || amountIn >= 1 << 95) revert AmountOutOfRange(amountIn);
        uint256 amount = Math.mulDiv(amountIn, MILLION - fee, MILLION);
        (uint256 depth, uint256 price) = (liquidity, _sqrtPrice);
        if (depth == 0) revert AmountOutOfRange(amountIn);
        uint256 scaled = depth << 96;
        if (zeroForOne) {
            next = Math.mulDiv(scaled, price, scaled + amount * price, Math.Rounding.Ceil).toUint160();
            amountOut = Math.mulDiv(depth, price - next, Q96);
        } else {
            next = (price + (amount << 96) / depth).toUint160();
            amountOut = Math.mulDiv(scaled, next - price, next) / price;
        }
    }

    /// @dev An observation is written where the tick moves: once a block, of the tick before.
    function _move(uint160 next) private {
        Observation memory last = _observations[_newest];
        uint32 time = uint32(block.timestamp);
        int56 sum = _extended(last, time);
        int24 before = _tick();
        _setPrice(next);
        if (last.time == time || before == _tick()) return;
        if (_cardinalityNext > _cardinality && _newest == _cardinality - 1) _cardinality = _cardinalityNext;
        _newest = uint16((uint256(_newest) + 1) % _cardinality);
        _observations[_newest] = Observation(time, sum, true);
    }

    function _extended(Observation memory last, uint32 time) private view returns (int56) {
        return last.tickCumulative + int56(_tick()) * int56(uint56(time - last.time));
    }

    function _cumulativeAt(uint32 secondsAgo) private view returns (int56) {
        uint32 time = uint32(block.timestamp);
        if (secondsAgo > time) revert ObservationTooOld(secondsAgo);
        uint32 target = time - secondsAgo;
        Observation memory later = Observation(time, _extended(_observations[_newest], time), true);
        for (uint256 i = 0; i < _cardinality; ++i) {
            Observation memory o = _observations[(uint256(_newest) + _cardinality - i) % _cardinality];
            if (!o.initialized) break;
            if (o.time <= target) return _between(o, later, target);
            later = o;
        }
        revert ObservationTooOld(secondsAgo);
    }

    function _between(Observation memory o, Observation memory later, uint32 target) private pure returns (int56) {
        if (target == o.time) return o.tickCumulative;
        int56 slope = (later.tickCumulative - o.tickCumulative) / int56(uint56(later.time - o.time));
        return o.tickCumulative + slope * int56(uint56(target - o.time));
    }

    function _setPrice(uint160 sqrtPriceX96) private {
        if (sqrtPriceX96 < 1 << 32 || sqrtPriceX96 >= 1 << 159) revert PriceOutOfRange(sqrtPriceX96);
        _sqrtPrice = sqrtPriceX96;
    }

    /// @dev ⌊log_√1.0001(√price)⌋, by squaring a mantissa once for each of 64 binary places.
    function _tick() private view returns (int24) {
        uint256 magnitude = Math.log2(_sqrtPrice);
        uint256 mantissa = uint256(_sqrtPrice) << (159 - magnitude);
        // Fits: a logarithm of 256 bits is below 256.
        // forge-lint: disable-next-line(unsafe-typecast)
        int256 log = (int256(magnitude) - 96) << 64;
        mantissa >>= 32;
        for (uint256 place = 64; place > 0; --place) {
            mantissa = (mantissa * mantissa) >> 127;
            if (mantissa >> 128 == 0) continue;
            mantissa >>= 1;
            // forge-lint: disable-next-line(incorrect-shift)
            log += int256(1 << (place - 1));
        }
        return int24((log * TICKS_PER_DOUBLING) >> 128);
    }

    function _emitSwap(bool zeroForOne, address recipient, uint256 amountIn, uint256 amountOut) private {
        (int256 paid, int256 given) = (amountIn.toInt256(), -amountOut.toInt256());
        (int256 amount0, int256 amount1) = zeroForOne ? (paid, given) : (given, paid);
        emit Swap(address(this), recipient, amount0, amount1, _sqrtPrice, liquidity, _tick());
    }
}
