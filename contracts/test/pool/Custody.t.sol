// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {CREDarkPool} from "../../src/CREDarkPool.sol";
import {ReportReceiver} from "../../src/ReportReceiver.sol";
import {AssetList} from "../../src/libraries/AssetList.sol";
import {PoolConfig} from "../../src/types/PoolConfig.sol";
import {PoolFixture} from "../fixtures/PoolFixture.sol";
import {FeeToken, ReentrantToken} from "../fixtures/Tokens.sol";

/// @notice Construction, deposits, withdrawal requests and standing orders.
contract PoolCustodyTest is PoolFixture {
    function _id(address from, bytes32 salt) private view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(pool), from, salt));
    }

    function test_assetsAreRead() public {
        (address token, uint8 decimals, uint64 lot) = pool.asset(BTC);
        assertEq(token, address(btc));
        assertEq(decimals, 8);
        assertEq(lot, BTC_LOT);
        assertEq(pool.assetCount(), 2);
        vm.expectRevert(abi.encodeWithSelector(AssetList.UnknownAsset.selector, 2, 2));
        pool.asset(2);
    }

    function test_payoutWorkflowNameIsItsHash() public view {
        bytes32 hash = sha256("ccc-payout");
        bytes memory text = bytes(vm.toString(hash));
        for (uint256 i = 0; i < 10; ++i) {
            assertEq(pool.PAYOUT_WORKFLOW_NAME()[i], text[i + 2]);
        }
    }

    function test_depositMovesTokensAndChainsThem() public {
        bytes32 id = _id(maker, "salt");
        vm.expectEmit(address(pool));
        emit CREDarkPool.Deposited(id, 0, maker, BTC, 5000, "salt", SEALED);
        assertEq(_deposit(BTC, 5000, "salt"), id);
        assertEq(btc.balanceOf(address(pool)), 5000);
        assertEq(pool.count(), 1);
        assertEq(pool.ciphertextHash(id), keccak256(SEALED));
        bytes32 expected = keccak256(
            abi.encode(bytes32(0), uint8(1), uint64(0), maker, address(btc), uint256(5000), keccak256(SEALED))
        );
        assertEq(pool.history(1), expected);
        assertEq(pool.history(0), 0);
    }

    function test_withdrawalRequestIsChained() public {
        _deposit(USD, 1, "deposit");
        bytes32 id = _id(maker, "salt");
        vm.expectEmit(address(pool));
        emit CREDarkPool.WithdrawalRequested(id, 1, maker, "salt", SEALED);
        assertEq(_requestWithdrawal("salt"), id);
        bytes32 expected = keccak256(
            abi.encode(pool.history(1), uint8(2), uint64(1), maker, address(0), uint256(0), keccak256(SEALED))
        );
        assertEq(pool.history(2), expected);
        (bool requested, uint64 index, bool paid) = pool.withdrawal(id);
        assertTrue(requested);
        assertEq(index, 1);
        assertFalse(paid);
    }

    function test_standingOrderIsKeptAsAHash() public {
        bytes32 id = _id(maker, "salt");
        vm.expectEmit(address(pool));
        emit CREDarkPool.StandingOrderSubmitted(id, maker, "salt", SEALED);
        vm.prank(maker);
        assertEq(pool.submitStandingOrder("salt", SEALED), id);
        assertEq(pool.ciphertextHash(id), keccak256(SEALED));
        assertEq(pool.count(), 0);
    }

    function testFuzz_depositTakesWholeLotsOnly(uint256 amount) public {
        amount = bound(amount, 1, 1e15);
        bool whole = amount % BTC_LOT == 0;
        if (!whole) vm.expectRevert(abi.encodeWithSelector(AssetList.NotWholeLots.selector, BTC_LOT, amount));
        _deposit(BTC, amount, "salt");
        assertEq(btc.balanceOf(address(pool)), whole ? amount : 0);
    }

    function testFuzz_everyDepositIsInTheChain(uint64[8] memory amounts) public {
        bytes32 acc;
        for (uint64 i = 0; i < 8; ++i) {
            uint256 amount = bound(amounts[i], 1, 1e12);
            _deposit(USD, amount, bytes32(uint256(i)));
            acc = keccak256(abi.encode(acc, uint8(1), i, maker, address(usd), amount, keccak256(SEALED)));
            assertEq(pool.history(i + 1), acc);
        }
    }

    function test_refusesAmountZero() public {
        vm.expectRevert(AssetList.ZeroAmount.selector);
        _deposit(USD, 0, "salt");
    }

    function test_refusesAmountAboveARow() public {
        uint256 max = type(uint128).max;
        vm.expectRevert(abi.encodeWithSelector(AssetList.AmountTooLarge.selector, max, max + 1));
        _deposit(USD, max + 1, "salt");
    }

    function test_refusesUnknownAsset() public {
        vm.expectRevert(abi.encodeWithSelector(AssetList.UnknownAsset.selector, 2, 7));
        _deposit(7, 1, "salt");
    }

    function test_refusesDepositWithoutAllowance() public {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(pool), 0, 5));
        pool.deposit(USD, 5, "salt", SEALED);
    }

    function test_anIdIsUsedOnceOverAllKinds() public {
        bytes32 id = _deposit(USD, 1, "salt");
        bytes memory reason = abi.encodeWithSelector(CREDarkPool.IdUsed.selector, id);
        vm.expectRevert(reason);
        _deposit(USD, 1, "salt");
        vm.expectRevert(reason);
        _requestWithdrawal("salt");
        vm.expectRevert(reason);
        vm.prank(maker);
        pool.submitStandingOrder("salt", SEALED);
        vm.prank(reserve);
        pool.approveOperator(maker, true);
        vm.expectRevert(reason);
        vm.prank(maker);
        pool.requestCollateral("salt", uint64(block.timestamp + 1), SEALED);
    }

    function test_refusesEmptyAndTooLongCiphertext() public {
        uint256 max = pool.MAX_CIPHERTEXT();
        vm.expectRevert(abi.encodeWithSelector(CREDarkPool.CiphertextLength.selector, max, 0));
        pool.submitStandingOrder("salt", "");
        bytes memory longest = new bytes(max);
        pool.submitStandingOrder("salt", longest);
        bytes memory longer = new bytes(max + 1);
        vm.expectRevert(abi.encodeWithSelector(CREDarkPool.CiphertextLength.selector, max, max + 1));
        pool.submitStandingOrder("other", longer);
    }

    function test_refusesTokenThatTakesAFee() public {
        FeeToken token = new FeeToken();
        pool = new CREDarkPool(_config(address(token), address(btc)));
        _fund(token);
        vm.expectRevert(abi.encodeWithSelector(AssetList.UnexpectedTransfer.selector, 100, 99));
        _deposit(USD, 100, "salt");
    }

    function test_refusesReentrantDeposit_n145() public {
        ReentrantToken token = new ReentrantToken();
        pool = new CREDarkPool(_config(address(token), address(btc)));
        _fund(token);
        token.arm(address(pool), abi.encodeCall(pool.deposit, (BTC, 1000, "inner", SEALED)));
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        _deposit(USD, 100, "salt");
    }

    // Construction

    function _refuseConfig(PoolConfig memory c, bytes memory reason) private {
        vm.expectRevert(reason);
        new CREDarkPool(c);
    }

    function test_constructorRefusesZeroAddresses() public {
        PoolConfig memory c = _config(address(usd), address(btc));
        c.reserve = address(0);
        _refuseConfig(c, abi.encodeWithSelector(ReportReceiver.ZeroAddress.selector, "reserve"));
        c = _config(address(usd), address(btc));
        c.priceSource = address(0);
        _refuseConfig(c, abi.encodeWithSelector(ReportReceiver.ZeroAddress.selector, "priceSource"));
    }

    function test_constructorRefusesZeroDurations() public {
        PoolConfig memory c = _config(address(usd), address(btc));
        c.exitDelay = 0;
        _refuseConfig(c, abi.encodeWithSelector(CREDarkPool.ZeroDuration.selector, "exitDelay"));
        c.maxDelay = 0;
        _refuseConfig(c, abi.encodeWithSelector(CREDarkPool.ZeroDuration.selector, "maxDelay"));
        c.fillWindow = 0;
        _refuseConfig(c, abi.encodeWithSelector(CREDarkPool.ZeroDuration.selector, "fillWindow"));
    }

    function test_constructorRefusesBadAssets() public {
        PoolConfig memory c = _config(address(usd), address(usd));
        _refuseConfig(c, abi.encodeWithSelector(AssetList.InvalidToken.selector, address(usd)));
        c.tokens[BTC] = address(0);
        _refuseConfig(c, abi.encodeWithSelector(AssetList.InvalidToken.selector, address(0)));
        c.tokens[BTC] = address(btc);
        c.lots[BTC] = 0;
        _refuseConfig(c, abi.encodeWithSelector(AssetList.ZeroLot.selector, address(btc)));
        c.lots = new uint64[](3);
        _refuseConfig(c, abi.encodeWithSelector(AssetList.AssetCount.selector, 2, 3));
        (c.tokens, c.lots) = (new address[](0), new uint64[](0));
        _refuseConfig(c, abi.encodeWithSelector(AssetList.AssetCount.selector, 0, 0));
        (c.tokens, c.lots) = (new address[](65), new uint64[](65));
        _refuseConfig(c, abi.encodeWithSelector(AssetList.AssetCount.selector, 65, 65));
    }
}
