// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {CREDarkPool} from "../../src/CREDarkPool.sol";
import {ReportPayload} from "../../src/libraries/ReportPayload.sol";
import {TestToken} from "../../src/test-tokens/TestToken.sol";
import {Replay} from "./Replay.sol";
import {RequestDriver} from "./Requests.sol";

/// @notice An authority that lets everybody call everything.
contract AnyoneMay {
    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }
}

/// @notice Drives a pool with four owners and keeps, in the clear, the table that an enclave would keep.
contract PoolHandler is RequestDriver, Replay {
    uint256 internal constant OWNERS = 4;
    uint8 internal constant TIER = 3;

    struct Operation {
        bool isDeposit;
        uint256 owner;
        uint32 asset;
        uint256 amount;
        bytes32 id;
    }

    struct Withdrawal {
        bytes32 id;
        uint32 asset;
        uint256 amount;
        bool paid;
    }

    Operation[] internal operations;
    Withdrawal[] internal withdrawals;
    bytes[8] internal rows;
    bytes internal header;
    uint256 internal salts;

    mapping(uint256 owner => mapping(uint32 asset => uint256)) public balance;
    mapping(uint32 asset => uint256) public deposited;
    mapping(uint32 asset => uint256) public paidOut;
    mapping(uint32 asset => uint256) public exitedWith;
    mapping(uint32 asset => uint256) public takenBack;
    mapping(uint32 asset => uint256) public given;
    uint64 public rounds;
    uint64 public lastConsumed;

    constructor() {
        authority = address(new AnyoneMay());
        super.setUp();
        vm.recordLogs();
    }

    function theToken(uint32 asset) public view returns (TestToken) {
        return asset == USD ? usd : btc;
    }

    function thePool() external view returns (CREDarkPool) {
        return pool;
    }

    function pauseOrResume() external {
        if (pool.paused()) pool.unpause();
        else pool.pause();
    }

    function deposit(uint256 owner, uint32 asset, uint256 lots) external {
        if (pool.halted() || pool.paused()) return;
        (owner, asset) = (owner % OWNERS, asset % 2);
        uint256 amount = bound(lots, 1, 1e9) * (asset == USD ? USD_LOT : BTC_LOT);
        address who = _owner(owner);
        theToken(asset).mint(who, amount);
        vm.startPrank(who);
        theToken(asset).approve(address(pool), amount);
        bytes32 id = pool.deposit(asset, amount, bytes32(++salts), SEALED);
        vm.stopPrank();
        operations.push(Operation(true, owner, asset, amount, id));
        deposited[asset] += amount;
        _replay(pool);
    }

    function requestWithdrawal(uint256 owner, uint32 asset, uint256 amount) external {
        if (pool.halted()) return;
        (owner, asset) = (owner % OWNERS, asset % 2);
        vm.prank(_owner(owner));
        bytes32 id = pool.requestWithdrawal(bytes32(++salts), SEALED);
        operations.push(Operation(false, owner, asset, bound(amount, 1, 1e9), id));
        _replay(pool);
    }

    function closeRound(uint64 count, uint256 from, uint256 to, uint256 moved, uint256 which) external {
        if (pool.halted()) return;
        count = uint64(bound(count, pool.consumed(), pool.count()));
        for (uint256 i = pool.consumed(); i < count; ++i) {
            _consume(operations[i]);
        }
        _move(from % OWNERS, to % OWNERS, moved);
        ReportPayload.Round memory r = _idle();
        _seal(r.version, r.previous);
        (r.count, r.accumulator, r.headerHash) = (count, pool.history(count), keccak256(header));
        r.requestId = _due(which);
        r.success = r.requestId != 0 && which % 2 == 0;
        _close(r);
        if (r.requestId != 0) _end(r.requestId, r.success ? 2 : 3);
        (rounds, lastConsumed) = (rounds + 1, count);
    }

    /// @notice A round that settles a request which has ended is refused, whatever it says of it.
    function settleAgain(uint256 which, bool success) external {
        if (pool.halted() || made.length == 0) return;
        bytes32 id = made[which % made.length].id;
        if (ended[id] == 0) return;
        _refuse(_settling(id, success), _hasEnded(id));
    }

    function payOut(uint256 which) external {
        if (withdrawals.length == 0) return;
        Withdrawal storage w = withdrawals[which % withdrawals.length];
        if (w.paid) return;
        _pay(ReportPayload.Payout(w.id, makeAddr("payee"), address(theToken(w.asset)), w.amount, pool.tableVersion()));
        w.paid = true;
        paidOut[w.asset] += w.amount;
    }

    function wait(uint32 time) external {
        vm.warp(block.timestamp + bound(time, 1, EXIT_DELAY));
        vm.roll(block.number + 1);
    }

    function exit(uint256 owner, uint32 asset) external {
        (owner, asset) = (owner % OWNERS, asset % 2);
        uint256 amount = balance[owner][asset];
        if (!_abandoned() || rounds == 0 || amount == 0 || pool.exited(_owner(owner), asset)) return;
        uint32 index = uint32(owner * 2 + asset);
        bytes32[] memory path = _path(index);
        vm.prank(_owner(owner));
        pool.exit(header, index, rows[index], _salt(index), path);
        exitedWith[asset] += amount;
    }

    function reclaim(uint64 index) external {
        if (operations.length == 0 || !_abandoned()) return;
        index = uint64(index % operations.length);
        Operation memory o = operations[index];
        if (!o.isDeposit || index < pool.consumed() || pool.reclaimed(index)) return;
        vm.prank(_owner(o.owner));
        pool.reclaim(index, address(theToken(o.asset)), o.amount, keccak256(SEALED));
        takenBack[o.asset] += o.amount;
    }

    function give(uint32 asset, uint256 amount) external {
        asset %= 2;
        amount = bound(amount, 1, 1e9);
        theToken(asset).mint(address(pool), amount);
        given[asset] += amount;
    }

    /// @notice What owners could still take: rows not left with, withdrawals not paid, deposits not consumed.
    function owed(uint32 asset) external view returns (uint256 sum) {
        for (uint256 owner = 0; owner < OWNERS; ++owner) {
            if (!pool.exited(_owner(owner), asset)) sum += balance[owner][asset];
        }
        for (uint256 i = 0; i < withdrawals.length; ++i) {
            if (!withdrawals[i].paid && withdrawals[i].asset == asset) sum += withdrawals[i].amount;
        }
        for (uint256 i = pool.consumed(); i < operations.length; ++i) {
            Operation memory o = operations[i];
            if (o.isDeposit && o.asset == asset && !pool.reclaimed(uint64(i))) sum += o.amount;
        }
    }

    function _owner(uint256 owner) private pure returns (address) {
        return address(uint160(0xacc0 + owner));
    }

    function _abandoned() private view returns (bool) {
        return pool.halted() || block.timestamp >= uint256(pool.lastRound()) + EXIT_DELAY;
    }

    /// @dev A withdrawal that its row does not cover fails alone.
    function _consume(Operation memory o) private {
        if (o.isDeposit) {
            balance[o.owner][o.asset] += o.amount;
        } else if (balance[o.owner][o.asset] >= o.amount) {
            balance[o.owner][o.asset] -= o.amount;
            withdrawals.push(Withdrawal(o.id, o.asset, o.amount, false));
        }
    }

    function _move(uint256 from, uint256 to, uint256 moved) private {
        for (uint32 asset = 0; asset < 2; ++asset) {
            uint256 amount = moved % (balance[from][asset] + 1);
            balance[from][asset] -= amount;
            balance[to][asset] += amount;
        }
    }

    function _seal(uint64 version, bytes32 previous) private {
        for (uint256 i = 0; i < 8; ++i) {
            rows[i] = _row(_owner(i / 2), uint32(i % 2), uint128(balance[i / 2][uint32(i % 2)]), 0);
        }
        header = _header(address(pool), version, previous, TIER, _nodeAt(TIER, 0));
    }

    function _salt(uint256 index) private pure returns (bytes32) {
        return keccak256(abi.encode("salt", index));
    }

    function _nodeAt(uint256 level, uint256 index) private view returns (bytes32) {
        if (level == 0) return _leaf(_salt(index), rows[index]);
        return _node(_nodeAt(level - 1, 2 * index), _nodeAt(level - 1, 2 * index + 1));
    }

    function _path(uint256 index) private view returns (bytes32[] memory path) {
        path = new bytes32[](TIER);
        for (uint256 level = 0; level < TIER; ++level) {
            path[level] = _nodeAt(level, (index >> level) ^ 1);
        }
    }
}
