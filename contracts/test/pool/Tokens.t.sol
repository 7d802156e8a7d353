// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {CREDarkPool} from "../../src/CREDarkPool.sol";
import {AssetList} from "../../src/libraries/AssetList.sol";
import {ReportPayload} from "../../src/libraries/ReportPayload.sol";
import {Permit} from "../../src/types/Permit.sol";
import {PoolFixture} from "../fixtures/PoolFixture.sol";
import {Answering, PermitToken, RebasingToken, VanishingToken} from "../fixtures/Tokens.sol";

/// @notice Permits, and tokens whose balances move by themselves.
contract PoolTokensTest is PoolFixture {
    uint256 internal constant OWNER_KEY = 0xa11ce;

    PermitToken internal token;
    address internal owner;

    function setUp() public override {
        super.setUp();
        token = new PermitToken();
        owner = vm.addr(OWNER_KEY);
        token.mint(owner, 1000);
        pool = new CREDarkPool(_config(address(token), address(btc)));
    }

    function _permit(uint256 key, address spender, uint256 amount) private view returns (Permit memory p) {
        p.deadline = block.timestamp + 60;
        bytes32 words = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                spender,
                amount,
                token.nonces(owner),
                p.deadline
            )
        );
        (p.v, p.r, p.s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), words)));
    }

    function _depositWith(Permit memory p, uint256 amount) private {
        vm.prank(owner);
        pool.depositWithPermit(USD, amount, "salt", SEALED, p);
    }

    function _refusePermit(Permit memory p) private {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(pool), 0, 400));
        _depositWith(p, 400);
    }

    function test_depositsWithAPermit() public {
        bytes32 id = keccak256(abi.encode(block.chainid, address(pool), owner, bytes32("salt")));
        vm.expectEmit(address(pool));
        emit CREDarkPool.Deposited(id, 0, owner, USD, 400, "salt", SEALED);
        _depositWith(_permit(OWNER_KEY, address(pool), 400), 400);
        assertEq(token.balanceOf(address(pool)), 400);
        assertEq(token.allowance(owner, address(pool)), 0);
        assertEq(pool.custody(address(token)), 400);
    }

    function test_depositsWithAPermitThatSomebodyHandedInFirst() public {
        Permit memory p = _permit(OWNER_KEY, address(pool), 400);
        token.permit(owner, address(pool), 400, p.deadline, p.v, p.r, p.s);
        _depositWith(p, 400);
        assertEq(pool.custody(address(token)), 400);
    }

    function test_refusesPermitOfSomebodyElse() public {
        _refusePermit(_permit(OWNER_KEY + 1, address(pool), 400));
    }

    function test_refusesPermitForAnotherSpenderOrAmount() public {
        _refusePermit(_permit(OWNER_KEY, maker, 400));
        _refusePermit(_permit(OWNER_KEY, address(pool), 399));
    }

    function test_refusesExpiredPermit() public {
        Permit memory p = _permit(OWNER_KEY, address(pool), 400);
        vm.warp(p.deadline + 1);
        _refusePermit(p);
    }

    function test_refusesPermitOnATokenWithoutPermits() public {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(pool), 0, 1000)
        );
        vm.prank(owner);
        pool.depositWithPermit(BTC, 1000, "salt", SEALED, Permit(block.timestamp, 27, 0, 0));
    }

    // Balances that move by themselves

    function _rebasing() private returns (RebasingToken rebasing) {
        rebasing = new RebasingToken();
        pool = new CREDarkPool(_config(address(rebasing), address(btc)));
        _fund(rebasing);
        _deposit(USD, 1000, "deposit");
    }

    function test_refusesDepositIntoAShrunkBalance() public {
        RebasingToken rebasing = _rebasing();
        rebasing.rebase(99);
        vm.expectRevert(abi.encodeWithSelector(AssetList.CustodyShrunk.selector, address(rebasing), 1000, 990));
        _deposit(USD, 100, "more");
        rebasing.rebase(100);
        _deposit(USD, 100, "more");
        assertEq(pool.custody(address(rebasing)), 1100);
    }

    function test_refusesDepositThatARebaseShrinks() public {
        RebasingToken rebasing = new RebasingToken();
        rebasing.rebase(50);
        pool = new CREDarkPool(_config(address(rebasing), address(btc)));
        _fund(rebasing);
        vm.expectRevert(abi.encodeWithSelector(AssetList.UnexpectedTransfer.selector, 1000, 500));
        _deposit(USD, 1000, "deposit");
    }

    function test_refusesDepositAfterWhichLessIsThere() public {
        VanishingToken vanishing = new VanishingToken();
        pool = new CREDarkPool(_config(address(vanishing), address(btc)));
        _fund(vanishing);
        _deposit(USD, 1000, "deposit");
        vm.expectRevert(abi.encodeWithSelector(AssetList.BalanceFell.selector, address(vanishing), 1000, 0));
        _deposit(USD, 100, "more");
    }

    // Decimal places

    function _refuseToken(address listed, bytes memory reason) private {
        vm.expectRevert(reason);
        new CREDarkPool(_config(listed, address(btc)));
    }

    function test_takesAtMost36DecimalPlaces() public {
        Answering listed = new Answering(abi.encode(36));
        pool = new CREDarkPool(_config(address(listed), address(btc)));
        (, uint8 decimals,) = pool.asset(USD);
        assertEq(decimals, 36);
        uint256[3] memory wrong = [uint256(37), 256, type(uint256).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            listed = new Answering(abi.encode(wrong[i]));
            bytes memory reason =
                abi.encodeWithSelector(AssetList.TooManyDecimals.selector, address(listed), 36, wrong[i]);
            _refuseToken(address(listed), reason);
        }
    }

    function test_refusesTokenThatDoesNotSayItsDecimalPlaces() public {
        address[4] memory listed = [
            address(new Answering("")),
            address(new Answering(new bytes(31))),
            address(new Answering(new bytes(33))),
            address(pool)
        ];
        for (uint256 i = 0; i < listed.length; ++i) {
            _refuseToken(listed[i], abi.encodeWithSelector(AssetList.DecimalsUnknown.selector, listed[i]));
        }
    }

    function test_refusesTokenWithoutCode() public {
        _refuseToken(owner, abi.encodeWithSelector(AssetList.TokenWithoutCode.selector, owner));
    }

    function test_neverPaysOutWhatARebaseAdded() public {
        RebasingToken rebasing = _rebasing();
        bytes32 id = _requestWithdrawal("withdrawal");
        _close(_idle());
        rebasing.rebase(200);
        ReportPayload.Payout memory p = ReportPayload.Payout(id, maker, address(rebasing), 1001, 1);
        _refuse(p, abi.encodeWithSelector(AssetList.CustodyExceeded.selector, address(rebasing), 1000, 1001));
        p.amount = 1000;
        _pay(p);
        assertEq(pool.custody(address(rebasing)), 0);
    }

    function test_neverPaysOutAGift() public {
        vm.startPrank(owner);
        token.approve(address(pool), 300);
        pool.deposit(USD, 300, "deposit", SEALED);
        token.transfer(address(pool), 700);
        vm.stopPrank();
        bytes32 id = _requestWithdrawal("withdrawal");
        _close(_idle());
        ReportPayload.Payout memory p = ReportPayload.Payout(id, owner, address(token), 301, 1);
        _refuse(p, abi.encodeWithSelector(AssetList.CustodyExceeded.selector, address(token), 300, 301));
    }
}
