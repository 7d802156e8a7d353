// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IUniswapQuoter, IUniswapRouter} from "../../src/interfaces/IUniswapV3.sol";
import {SimulatedExchange} from "../../src/simulated/SimulatedExchange.sol";
import {TestToken} from "../../src/test-tokens/TestToken.sol";

contract SimulatedExchangeTest is Test {
    uint160 private constant ONE_TO_ONE = 1 << 96;
    uint128 private constant LIQUIDITY = 1e24;
    address private constant RESERVE = address(0x5E);

    TestToken private _token0;
    TestToken private _token1;
    SimulatedExchange private _exchange;

    function setUp() public {
        vm.warp(1_700_000_000);
        TestToken a = new TestToken("A", "A", 18);
        TestToken b = new TestToken("B", "B", 18);
        (_token0, _token1) = address(a) < address(b) ? (a, b) : (b, a);
        _exchange = new SimulatedExchange(address(_token0), address(_token1), 3000, ONE_TO_ONE);
        for (uint256 i = 0; i < 2; ++i) {
            TestToken token = i == 0 ? _token0 : _token1;
            token.mint(address(this), 1e27);
            token.approve(address(_exchange), type(uint256).max);
        }
        _exchange.addLiquidity(LIQUIDITY);
    }

    function _params(uint256 amountIn) private view returns (IUniswapRouter.ExactInputSingleParams memory) {
        return IUniswapRouter.ExactInputSingleParams(
            address(_token0), address(_token1), 3000, RESERVE, block.timestamp, amountIn, 0, 0
        );
    }

    function _quote(uint256 amountIn, bool zeroForOne) private view returns (uint256 amountOut, uint160 next) {
        (address tokenIn, address tokenOut) =
            zeroForOne ? (address(_token0), address(_token1)) : (address(_token1), address(_token0));
        IUniswapQuoter.QuoteExactInputSingleParams memory p =
            IUniswapQuoter.QuoteExactInputSingleParams(tokenIn, tokenOut, amountIn, 3000, 0);
        (amountOut, next,,) = _exchange.quoteExactInputSingle(p);
    }

    function _tick() private view returns (int24 tick) {
        (, tick,,,,,) = _exchange.slot0();
    }

    function _ago(uint32 a, uint32 b) private pure returns (uint32[] memory ago) {
        ago = new uint32[](2);
        (ago[0], ago[1]) = (a, b);
    }

    function test_paysTheRecipientWhatItQuotes() public {
        (uint256 quoted,) = _quote(1e22, true);
        assertEq(_exchange.exactInputSingle(_params(1e22)), quoted);
        assertEq(_token1.balanceOf(RESERVE), quoted);
        // 9970 in of 1e6 deep: x·y = k, rounded down
        assertEq(quoted, 9_871_580_343_970_612_988_504);
    }

    function testFuzz_neverLosesLiquidity(uint96 amountIn, bool zeroForOne) public view {
        uint256 amount = bound(amountIn, 1, (1 << 95) - 1);
        (uint256 out, uint160 next) = _quote(amount, zeroForOne);
        uint256 before = uint256(LIQUIDITY);
        // product of both sides, in units that fit
        uint256 fee = amount * 3000 / 1e6;
        uint256 left = before - out;
        assertGe((before + amount) * left, before * before);
        assertLe(out, amount - fee);
        assertTrue(zeroForOne ? next <= ONE_TO_ONE : next >= ONE_TO_ONE);
    }

    function test_tickFollowsThePrice() public {
        assertEq(_tick(), 0);
        IUniswapRouter.ExactInputSingleParams memory p = _params(1e23);
        _exchange.exactInputSingle(p);
        // √P = 1 / 1.0997: 2 · ln(1.0997) / ln(1.0001) = 1900.8…, rounded down below zero
        assertEq(_tick(), -1901);
        (p.tokenIn, p.tokenOut, p.amountIn) = (address(_token1), address(_token0), 3e23);
        _exchange.exactInputSingle(p);
        assertGt(_tick(), 0);
    }

    function test_averageIsOfTheTicksBefore() public {
        _exchange.increaseObservationCardinalityNext(3);
        vm.warp(block.timestamp + 100);
        _exchange.exactInputSingle(_params(1e23));
        vm.warp(block.timestamp + 50);
        (int56[] memory sums,) = _exchange.observe(_ago(150, 0));
        assertEq(sums[1] - sums[0], -1901 * 50);
        (sums,) = _exchange.observe(_ago(75, 25));
        assertEq(sums[1] - sums[0], -1901 * 25);
    }

    function test_aPoolThatKeepsOneObservationForgets() public {
        vm.warp(block.timestamp + 100);
        _exchange.exactInputSingle(_params(1));
        _exchange.observe(_ago(100, 0));
        _exchange.exactInputSingle(_params(1e23));
        vm.warp(block.timestamp + 10);
        vm.expectRevert(abi.encodeWithSelector(SimulatedExchange.ObservationTooOld.selector, 11));
        _exchange.observe(_ago(11, 0));
        vm.expectRevert(abi.encodeWithSelector(SimulatedExchange.ObservationTooOld.selector, type(uint32).max));
        _exchange.observe(_ago(type(uint32).max, 0));
    }

    function test_refusesWhatTheGuardsForbid() public {
        IUniswapRouter.ExactInputSingleParams memory p = _params(1e18);
        p.deadline = block.timestamp - 1;
        vm.expectRevert(
            abi.encodeWithSelector(SimulatedExchange.TransactionTooOld.selector, p.deadline, block.timestamp)
        );
        _exchange.exactInputSingle(p);
        p = _params(1e18);
        (uint256 quoted,) = _quote(1e18, true);
        p.amountOutMinimum = quoted + 1;
        vm.expectRevert(abi.encodeWithSelector(SimulatedExchange.TooLittleReceived.selector, quoted + 1, quoted));
        _exchange.exactInputSingle(p);
        p = _params(1e18);
        p.sqrtPriceLimitX96 = 1;
        vm.expectRevert(abi.encodeWithSelector(SimulatedExchange.PriceLimitUnknown.selector, 1));
        _exchange.exactInputSingle(p);
    }

    function test_refusesOtherPools() public {
        IUniswapRouter.ExactInputSingleParams memory p = _params(1e18);
        p.fee = 500;
        vm.expectRevert(
            abi.encodeWithSelector(SimulatedExchange.PoolUnknown.selector, address(_token0), address(_token1), 500)
        );
        _exchange.exactInputSingle(p);
        p = _params(1e18);
        p.tokenOut = p.tokenIn;
        vm.expectRevert(
            abi.encodeWithSelector(SimulatedExchange.PoolUnknown.selector, address(_token0), address(_token0), 3000)
        );
        _exchange.exactInputSingle(p);
        assertEq(_exchange.getPool(address(_token1), address(_token0), 3000), address(_exchange));
        assertEq(_exchange.getPool(address(_token1), address(_token0), 500), address(0));
    }

    function test_refusesNothingAndTooMuch() public {
        uint256[2] memory wrong = [uint256(0), 1 << 95];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(SimulatedExchange.AmountOutOfRange.selector, wrong[i]));
            _exchange.exactInputSingle(_params(wrong[i]));
        }
        SimulatedExchange empty = new SimulatedExchange(address(_token0), address(_token1), 3000, ONE_TO_ONE);
        vm.expectRevert(abi.encodeWithSelector(SimulatedExchange.AmountOutOfRange.selector, 1));
        empty.exactInputSingle(_params(1));
    }

    function test_refusesAMalformedPool() public {
        (address a, address b) = (address(_token0), address(_token1));
        vm.expectRevert(abi.encodeWithSelector(SimulatedExchange.TokenOrder.selector, b, a));
        new SimulatedExchange(b, a, 3000, ONE_TO_ONE);
        vm.expectRevert(abi.encodeWithSelector(SimulatedExchange.TokenOrder.selector, address(0), a));
        new SimulatedExchange(address(0), a, 3000, ONE_TO_ONE);
        vm.expectRevert(abi.encodeWithSelector(SimulatedExchange.FeeTooHigh.selector, 1_000_000));
        new SimulatedExchange(a, b, 1_000_000, ONE_TO_ONE);
        vm.expectRevert(abi.encodeWithSelector(SimulatedExchange.PriceOutOfRange.selector, 0));
        new SimulatedExchange(a, b, 3000, 0);
    }

    function test_onlyTheOwnerGivesLiquidity() public {
        vm.prank(RESERVE);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, RESERVE));
        _exchange.addLiquidity(1);
    }
}
