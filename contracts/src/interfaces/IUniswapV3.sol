// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.0;

// The part of Uniswap V3 that the direct route uses, declared after its public ABI. Its code is never in this
// repository: tests deploy what its npm packages publish.

/// @notice Finds the pool of two tokens and a fee.
interface IUniswapFactory {
    /// @notice The pool, or zero; the order of the tokens does not matter.
    function getPool(address tokenA, address tokenB, uint24 fee) external view returns (address);
}

/// @notice A pool of two tokens with its price and the history of that price.
interface IUniswapPool {
    /// @notice A trade; amounts are from the pool's side.
    event Swap(
        address indexed sender,
        address indexed recipient,
        int256 amount0,
        int256 amount1,
        uint160 sqrtPriceX96,
        uint128 liquidity,
        int24 tick
    );

    /// @notice The factory that knows the pool.
    function factory() external view returns (address);
    /// @notice The token with the lower address.
    function token0() external view returns (address);
    /// @notice The token with the higher address.
    function token1() external view returns (address);
    /// @notice Parts of a million of what is paid in.
    function fee() external view returns (uint24);
    /// @notice Liquidity at the current price.
    function liquidity() external view returns (uint128);
    /// @notice Price √(token1 / token0) · 2^96, its tick, the place of the newest observation, how many are kept and
    /// will be kept, the protocol's share, and whether the pool is open.
    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );
    /// @notice One observation.
    function observations(uint256 index)
        external
        view
        returns (
            uint32 blockTimestamp,
            int56 tickCumulative,
            uint160 secondsPerLiquidityCumulativeX128,
            bool initialized
        );
    /// @notice The sums of ticks over time, as they were so many seconds ago.
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityCumulativeX128s);
    /// @notice Lets the pool keep more observations.
    function increaseObservationCardinalityNext(uint16 observationCardinalityNext) external;
}

/// @notice Says what a trade would give.
interface IUniswapQuoter {
    /// @notice A trade in one pool.
    struct QuoteExactInputSingleParams {
        address tokenIn;
        address tokenOut;
        uint256 amountIn;
        uint24 fee;
        uint160 sqrtPriceLimitX96;
    }

    /// @notice The factory whose pools it asks.
    function factory() external view returns (address);
    /// @notice What the trade gives and where it leaves the price. To be called, never sent.
    function quoteExactInputSingle(QuoteExactInputSingleParams memory params)
        external
        returns (uint256 amountOut, uint160 sqrtPriceX96After, uint32 initializedTicksCrossed, uint256 gasEstimate);
}

/// @notice Trades.
interface IUniswapRouter {
    /// @notice A trade in one pool, with its guards.
    struct ExactInputSingleParams {
        address tokenIn;
        address tokenOut;
        uint24 fee;
        address recipient;
        uint256 deadline;
        uint256 amountIn;
        uint256 amountOutMinimum;
        uint160 sqrtPriceLimitX96;
    }

    /// @notice The factory whose pools it trades on.
    function factory() external view returns (address);
    /// @notice Takes `amountIn` from the caller and pays `recipient`.
    function exactInputSingle(ExactInputSingleParams calldata params) external payable returns (uint256 amountOut);
}

/// @notice Makes pools and gives them liquidity.
interface IUniswapPositions {
    /// @notice Liquidity between two ticks.
    struct MintParams {
        address token0;
        address token1;
        uint24 fee;
        int24 tickLower;
        int24 tickUpper;
        uint256 amount0Desired;
        uint256 amount1Desired;
        uint256 amount0Min;
        uint256 amount1Min;
        address recipient;
        uint256 deadline;
    }

    /// @notice Makes the pool, if there is none, at this price.
    function createAndInitializePoolIfNecessary(address token0, address token1, uint24 fee, uint160 sqrtPriceX96)
        external
        payable
        returns (address pool);
    /// @notice Takes tokens from the caller into the pool.
    function mint(MintParams calldata params)
        external
        payable
        returns (uint256 tokenId, uint128 liquidity, uint256 amount0, uint256 amount1);
}
