// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";

/// @title Simulated price feed
/// @notice Answers like an AggregatorV3 feed with observations that its owner invents. It stands where no real feed is;
/// a pool that holds money of value MUST name a real one.
contract SimulatedFeed is IAggregatorV3, Ownable {
    struct Observation {
        int256 answer;
        uint256 updatedAt;
    }

    /// @inheritdoc IAggregatorV3
    uint8 public immutable decimals;
    /// @inheritdoc IAggregatorV3
    uint256 public constant version = 1;
    /// @notice Says by its name what it is.
    string public constant typeAndVersion = "SimulatedFeed 1.0.0";
    /// @inheritdoc IAggregatorV3
    string public description;

    Observation[] private _observations;

    /// @notice A new observation, in the shape that feeds emit.
    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    /// @notice There is no observation of this round.
    error NoDataPresent(uint80 round);
    /// @notice Observation times strictly increase.
    error TimeNotAfterLast(uint256 last, uint256 found);
    /// @notice An observation is never of the future.
    error ObservationInFuture(uint256 current, uint256 found);

    constructor(uint8 decimals_, string memory description_) Ownable(msg.sender) {
        decimals = decimals_;
        description = description_;
    }

    /// @notice Adds an observation.
    /// @param answer Price, in units of 10^−decimals.
    /// @param updatedAt Unix time, after the last observation's and not after now.
    function push(int256 answer, uint256 updatedAt) external onlyOwner {
        uint256 rounds = _observations.length;
        if (rounds != 0 && updatedAt <= _observations[rounds - 1].updatedAt) {
            revert TimeNotAfterLast(_observations[rounds - 1].updatedAt, updatedAt);
        }
        if (updatedAt > block.timestamp) revert ObservationInFuture(block.timestamp, updatedAt);
        _observations.push(Observation(answer, updatedAt));
        emit AnswerUpdated(answer, rounds + 1, updatedAt);
    }

    /// @inheritdoc IAggregatorV3
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(uint80(_observations.length));
    }

    /// @inheritdoc IAggregatorV3
    function getRoundData(uint80 round) public view returns (uint80, int256, uint256, uint256, uint80) {
        if (round == 0 || round > _observations.length) revert NoDataPresent(round);
        Observation memory o = _observations[round - 1];
        return (round, o.answer, o.updatedAt, o.updatedAt, round);
    }
}
