// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Vm} from "forge-std/Vm.sol";

import {CREDarkPool} from "../../src/CREDarkPool.sol";

/// @notice Computes a pool's accumulator from its events alone, as somebody who only watches does.
abstract contract Replay is Test {
    bytes32 public replayed;
    uint64 public replayedCount;

    /// @dev Reads what was recorded since the last call.
    function _replay(CREDarkPool pool) internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(pool)) continue;
            if (logs[i].topics[0] == CREDarkPool.Deposited.selector) _replayDeposit(pool, logs[i]);
            if (logs[i].topics[0] == CREDarkPool.WithdrawalRequested.selector) _replayWithdrawal(logs[i]);
        }
    }

    function _replayDeposit(CREDarkPool pool, Vm.Log memory log) private {
        (uint32 asset, uint256 amount,, bytes memory ciphertext) =
            abi.decode(log.data, (uint32, uint256, bytes32, bytes));
        (address token,,) = pool.asset(asset);
        _step(1, log, token, amount, ciphertext);
    }

    function _replayWithdrawal(Vm.Log memory log) private {
        (, bytes memory ciphertext) = abi.decode(log.data, (bytes32, bytes));
        _step(2, log, address(0), 0, ciphertext);
    }

    function _step(uint8 kind, Vm.Log memory log, address token, uint256 amount, bytes memory ciphertext) private {
        uint64 index = uint64(uint256(log.topics[2]));
        assertEq(index, replayedCount);
        address who = address(uint160(uint256(log.topics[3])));
        replayed = keccak256(abi.encode(replayed, kind, index, who, token, amount, keccak256(ciphertext)));
        replayedCount += 1;
    }
}
