// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ingress} from "./Ingress.sol";

/// @notice What a pool is made of; nothing but the authority can change later.
/// @param ingress Whose reports it takes. The workflow name is that of round reports.
/// @param authority AccessManager that says who may pause and resume; with an address that has no code, nobody may.
/// @param reserve The address that may request collateral and approve operators; its table account is the reserve.
/// @param priceSource The feed that rounds must have read.
/// @param tableId Identifier of the balance table.
/// @param tokens Token of each asset, by asset index; distinct.
/// @param lots Base units per lot of each asset; amounts of deposits are multiples of it.
/// @param fillWindow Seconds after a request's deadline during which a round may settle it.
/// @param maxDelay Most seconds that a request's deadline lies ahead.
/// @param exitDelay Seconds without a round after which owners may exit.
struct PoolConfig {
    Ingress ingress;
    address authority;
    address reserve;
    address priceSource;
    bytes32 tableId;
    address[] tokens;
    uint64[] lots;
    uint64 fillWindow;
    uint64 maxDelay;
    uint64 exitDelay;
}
