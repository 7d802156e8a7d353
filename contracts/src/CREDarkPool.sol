// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {AssetList} from "./libraries/AssetList.sol";
import {OperationLog} from "./libraries/OperationLog.sol";
import {ReportPayload} from "./libraries/ReportPayload.sol";
import {RequestBook} from "./libraries/RequestBook.sol";
import {TableExit} from "./libraries/TableExit.sol";
import {ReportReceiver} from "./ReportReceiver.sol";
import {Permit} from "./types/Permit.sol";
import {PoolConfig} from "./types/PoolConfig.sol";

/// @title Custody of a pool whose balances are an encrypted table
/// @notice Holds the tokens. Who owns how much of them is in a table that only the enclave reads; here are its version
/// and the hash of its header, which a round report moves by one. Deposits, withdrawals and exits show their amounts;
/// nothing else does.
///
/// What enters the table is chained in an accumulator, and a round names the value that it consumed, so that a deposit
/// can be neither invented, left out nor taken twice. If no round closes for `exitDelay` seconds, owners leave without
/// anyone's help: with a row and its path (`exit`), or with a deposit that no round consumed (`reclaim`). The first of
/// them halts the rounds for ever.
///
/// Who the authority lets pause it stops new business: deposits and requests. Nothing stops the way out: withdrawal
/// requests, rounds, payouts, cancelling, expiry, exits; nor sealed submissions, by which makers take reserved funds back.
///
/// *Units*: amounts in the token's base units, times in Unix seconds.
///
/// *Security*: ids are keccak256(abi.encode(chain id, pool, sender, salt)), so nobody takes another's id. Every function
/// that moves tokens is guarded against re-entry. No function loops over users.
contract CREDarkPool is ReportReceiver, AccessManaged, Pausable, ReentrancyGuardTransient {
    using AssetList for AssetList.Asset[];
    using AssetList for AssetList.Asset;
    using AssetList for mapping(address token => uint256 amount);
    using OperationLog for OperationLog.Log;
    using RequestBook for mapping(bytes32 => RequestBook.Request);
    using TableExit for TableExit.Expected;

    /// @notice Longest ciphertext.
    uint256 public constant MAX_CIPHERTEXT = 65_536;
    /// @notice Name of the workflow that makes payout reports: ten hex characters of SHA-256("ccc-payout").
    bytes10 public constant PAYOUT_WORKFLOW_NAME = "1fdeee3105";

    /// @notice Who may request collateral and approve operators.
    address public immutable reserve;
    /// @notice The feed that rounds must have read.
    address public immutable priceSource;
    /// @notice Identifier of the balance table.
    bytes32 public immutable tableId;
    /// @notice Seconds after a request's deadline during which a round may settle it.
    uint64 public immutable fillWindow;
    /// @notice Most seconds that a request's deadline lies ahead.
    uint64 public immutable maxDelay;
    /// @notice Seconds without a round after which owners may exit.
    uint64 public immutable exitDelay;

    /// @notice Hash of the current table header; zero before the first round.
    bytes32 public headerHash;
    /// @notice Version of the current table; zero before the first round.
    uint64 public tableVersion;
    /// @notice When the last round closed; before the first, when the pool was made.
    uint64 public lastRound;
    /// @notice Whether rounds have ended for ever.
    bool public halted;

    /// @notice keccak256 of what was submitted under an id; zero for an unused id.
    mapping(bytes32 id => bytes32 hash) public ciphertextHash;
    /// @notice Whether an address may request collateral for the reserve.
    mapping(address operator => bool approved) public isOperator;
    /// @notice Whether an account has left with an asset.
    mapping(address account => mapping(uint32 asset => bool left)) public exited;
    /// @notice What came in of a token and did not go out, gifts left aside.
    mapping(address token => uint256 amount) public custody;
    /// @notice Whether the deposit with this index has been taken back.
    mapping(uint64 index => bool taken) public reclaimed;

    AssetList.Asset[] private _assets;
    OperationLog.Log private _log;
    mapping(bytes32 id => RequestBook.Request request) private _requests;
    mapping(bytes32 id => Withdrawal withdrawal) private _withdrawals;

    /// @dev A withdrawal request: its place in the log, and whether it was paid.
    struct Withdrawal {
        uint64 index;
        bool requested;
        bool paid;
    }

    /// @notice Tokens came in; the ciphertext names the table account.
    event Deposited(
        bytes32 indexed id,
        uint64 indexed index,
        address indexed from,
        uint32 asset,
        uint256 amount,
        bytes32 salt,
        bytes ciphertext
    );
    /// @notice Someone asks to be paid; the ciphertext says what and from which account.
    event WithdrawalRequested(
        bytes32 indexed id, uint64 indexed index, address indexed from, bytes32 salt, bytes ciphertext
    );
    /// @notice A sealed submission: a standing order, or an instruction about one, a reservation or a row.
    event StandingOrderSubmitted(bytes32 indexed id, address indexed maker, bytes32 salt, bytes ciphertext);
    /// @notice The reserve asks for collateral, under seal.
    event CollateralRequested(
        bytes32 indexed requestId, address indexed requester, uint64 deadline, bytes32 salt, bytes ciphertext
    );
    /// @notice A request ended.
    event DarkPoolFill(bytes32 indexed requestId, bool success, uint256 timestamp);
    /// @notice The table moved to its next version.
    event RoundClosed(uint64 indexed version, bytes32 headerHash);
    /// @notice A withdrawal was paid.
    event WithdrawalPaid(bytes32 indexed id, address to, address token, uint256 amount);
    /// @notice An owner left with a proof.
    event Exited(address indexed account, uint32 asset, uint256 amount);
    /// @notice A deposit that no round consumed was taken back.
    event DepositReclaimed(uint64 indexed index, address indexed from, address token, uint256 amount);
    /// @notice Rounds have ended for ever.
    event RoundsHalted(uint64 indexed version, uint256 timestamp);
    /// @notice The reserve changed who may request for it.
    event OperatorApproved(address indexed operator, bool approved);

    /// @notice A duration that must be positive is zero.
    error ZeroDuration(string what);
    /// @notice Rounds have ended for ever.
    error Halted();
    /// @notice The id was used before, for whatever purpose.
    error IdUsed(bytes32 id);
    /// @notice The ciphertext is empty or too long.
    error CiphertextLength(uint256 max, uint256 found);
    /// @notice The caller is neither the reserve nor approved by it.
    error NotReserve(address reserve, address found);
    /// @notice The report does not install the next version.
    error VersionMismatch(uint256 expected, uint64 found);
    /// @notice The report does not build on the current header.
    error PreviousHeaderMismatch(bytes32 expected, bytes32 found);
    /// @notice The report installs no header.
    error ZeroHeaderHash();
    /// @notice The price was read in a block that this chain has not reached.
    error PriceBlockInFuture(uint256 current, uint64 found);
    /// @notice The price comes from another feed.
    error PriceSourceMismatch(address expected, address found);
    /// @notice A round without a request claims a success.
    error IdleRoundSuccess();
    /// @notice Nobody requested this withdrawal.
    error UnknownWithdrawal(bytes32 id);
    /// @notice No round has consumed the withdrawal request.
    error WithdrawalNotConsumed(bytes32 id, uint64 index, uint64 consumed);
    /// @notice The withdrawal has been paid.
    error AlreadyPaid(bytes32 id);
    /// @notice The payout refers to a version that the table has not reached.
    error VersionAhead(uint64 current, uint64 found);
    /// @notice Nobody can be paid at this address.
    error InvalidRecipient(address to);
    /// @notice Rounds still close.
    error ExitNotOpen(uint256 opens, uint256 timestamp);
    /// @notice The row belongs to another account.
    error NotAccount(address account, address found);
    /// @notice The account has left with this asset.
    error AlreadyExited(address account, uint32 asset);
    /// @notice A round consumed the deposit: it is in the table.
    error DepositConsumed(uint64 index, uint64 consumed);
    /// @notice The caller did not make this deposit.
    error UnknownDeposit(uint64 index);
    /// @notice The deposit has been taken back.
    error AlreadyReclaimed(uint64 index);

    constructor(PoolConfig memory c) ReportReceiver(c.ingress) AccessManaged(c.authority) {
        if (c.reserve == address(0)) revert ZeroAddress("reserve");
        if (c.priceSource == address(0)) revert ZeroAddress("priceSource");
        if (c.fillWindow == 0) revert ZeroDuration("fillWindow");
        if (c.maxDelay == 0) revert ZeroDuration("maxDelay");
        if (c.exitDelay == 0) revert ZeroDuration("exitDelay");
        reserve = c.reserve;
        priceSource = c.priceSource;
        tableId = c.tableId;
        fillWindow = c.fillWindow;
        maxDelay = c.maxDelay;
        exitDelay = c.exitDelay;
        lastRound = uint64(block.timestamp);
        _assets.fill(c.tokens, c.lots);
    }

    /// @notice Brings tokens into custody.
    /// @param assetIndex Asset index.
    /// @param amount Base units, a whole number of lots.
    /// @param salt Makes the id unique for the sender.
    /// @param ciphertext Names the table account, under seal.
    /// @return id Identifier of the deposit.
    function deposit(uint32 assetIndex, uint256 amount, bytes32 salt, bytes calldata ciphertext)
        external
        nonReentrant
        whenNotPaused
        returns (bytes32 id)
    {
        return _deposit(assetIndex, _assets.get(assetIndex), amount, salt, ciphertext);
    }

    /// @notice Brings tokens into custody with a signature in place of an allowance.
    /// @dev Before the token is called, nothing of the pool is read but the asset, which never changes.
    /// @param permit EIP-2612 signature of the caller over exactly `amount` for this pool.
    /// @return id Identifier of the deposit.
    // slither-disable-next-line reentrancy-benign
    function depositWithPermit(
        uint32 assetIndex,
        uint256 amount,
        bytes32 salt,
        bytes calldata ciphertext,
        Permit calldata permit
    ) external nonReentrant whenNotPaused returns (bytes32 id) {
        AssetList.Asset memory a = _assets.get(assetIndex);
        a.usePermit(amount, permit);
        return _deposit(assetIndex, a, amount, salt, ciphertext);
    }

    /// @notice Asks to be paid out of the table.
    /// @return id Identifier of the withdrawal, which its payout report names.
    function requestWithdrawal(bytes32 salt, bytes calldata ciphertext) external returns (bytes32 id) {
        id = _claimId(salt, ciphertext);
        OperationLog.Operation memory operation =
            OperationLog.Operation(OperationLog.WITHDRAWAL_REQUEST, msg.sender, address(0), 0, ciphertextHash[id]);
        uint64 index = _log.append(operation);
        _withdrawals[id] = Withdrawal({index: index, requested: true, paid: false});
        emit WithdrawalRequested(id, index, msg.sender, salt, ciphertext);
    }

    /// @notice Submits a sealed standing order, or a sealed instruction. What it says, only the enclave reads.
    /// @dev Also while paused: replacing an order and withdrawing a reservation come through here.
    /// @return id Identifier of the submission.
    function submitStandingOrder(bytes32 salt, bytes calldata ciphertext) external returns (bytes32 id) {
        id = _claimId(salt, ciphertext);
        emit StandingOrderSubmitted(id, msg.sender, salt, ciphertext);
    }

    /// @notice Asks for collateral in the reserve's name.
    /// @param deadline When the round is to settle it: after now, at most `maxDelay` ahead.
    /// @return id Identifier of the request, which the round report names.
    function requestCollateral(bytes32 salt, uint64 deadline, bytes calldata encryptedOrder)
        external
        whenNotPaused
        returns (bytes32 id)
    {
        if (msg.sender != reserve && !isOperator[msg.sender]) revert NotReserve(reserve, msg.sender);
        id = _claimId(salt, encryptedOrder);
        _requests.open(id, msg.sender, deadline, maxDelay);
        emit CollateralRequested(id, msg.sender, deadline, salt, encryptedOrder);
    }

    /// @notice Lets an address request collateral for the reserve, or no longer.
    function approveOperator(address operator, bool approved) external {
        if (msg.sender != reserve) revert NotReserve(reserve, msg.sender);
        isOperator[operator] = approved;
        emit OperatorApproved(operator, approved);
    }

    /// @notice Ends a request before its deadline. The reserve may call it, and who requested.
    function cancel(bytes32 requestId) external {
        address requester = _requests[requestId].requester;
        if (msg.sender != reserve && msg.sender != requester) revert NotReserve(reserve, msg.sender);
        _requests.cancel(requestId);
        emit DarkPoolFill(requestId, false, block.timestamp);
    }

    /// @notice Stops new business.
    function pause() external restricted {
        _pause();
    }

    /// @notice Resumes it.
    function unpause() external restricted {
        _unpause();
    }

    /// @notice Ends a request that no round settled in time. Anyone may call it.
    function expire(bytes32 requestId) external {
        _requests.expire(requestId, fillWindow);
        emit DarkPoolFill(requestId, false, block.timestamp);
    }

    /// @notice Leaves with a row of the current table, when no round has closed for `exitDelay` seconds.
    /// @dev Pays the whole amount, including what is reserved. The first call halts the rounds for ever.
    /// @param header The current table header, 435 bytes.
    /// @param index Place of the row in the table.
    /// @param row The row, 64 bytes; its account is the caller.
    /// @param salt The row's salt in this version.
    /// @param path Siblings in the state tree from the leaf upward.
    function exit(bytes calldata header, uint32 index, bytes calldata row, bytes32 salt, bytes32[] calldata path)
        external
        nonReentrant
    {
        _haltIfAbandoned();
        TableExit.Row memory r =
            TableExit.Expected(headerHash, tableId, tableVersion).open(header, index, row, salt, path);
        if (r.account != msg.sender) revert NotAccount(r.account, msg.sender);
        if (exited[r.account][r.asset]) revert AlreadyExited(r.account, r.asset);
        if (r.amount == 0) revert AssetList.ZeroAmount();
        address token = _assets.get(r.asset).token;
        exited[r.account][r.asset] = true;
        emit Exited(r.account, r.asset, r.amount);
        custody.giveOut(token, r.account, r.amount);
    }

    /// @notice Takes back a deposit that no round consumed, when no round has closed for `exitDelay` seconds.
    /// @dev The first call halts the rounds for ever. The accumulator proves the deposit: nothing else of it is stored.
    /// @param index The deposit's index.
    /// @param token Its token.
    /// @param amount Its amount.
    /// @param hash keccak256 of its ciphertext.
    function reclaim(uint64 index, address token, uint256 amount, bytes32 hash) external nonReentrant {
        _haltIfAbandoned();
        if (index < _log.consumed) revert DepositConsumed(index, _log.consumed);
        if (!_log.contains(index, _depositOf(msg.sender, token, amount, hash))) revert UnknownDeposit(index);
        if (reclaimed[index]) revert AlreadyReclaimed(index);
        reclaimed[index] = true;
        emit DepositReclaimed(index, msg.sender, token, amount);
        custody.giveOut(token, msg.sender, amount);
    }

    /// @notice Token, decimal places and lot of an asset.
    function asset(uint32 index) external view returns (address token, uint8 decimals, uint64 lot) {
        AssetList.Asset memory a = _assets.get(index);
        return (a.token, a.decimals, a.lot);
    }

    /// @notice Number of assets.
    function assetCount() external view returns (uint256) {
        return _assets.length;
    }

    /// @notice A collateral request. Status: 0 none, 1 pending, 2 filled, 3 failed, 4 expired, 5 cancelled.
    function request(bytes32 id)
        external
        view
        returns (address requester, uint64 deadline, uint8 status, bytes32 hash)
    {
        RequestBook.Request memory r = _requests[id];
        if (r.status != RequestBook.Status.None) hash = ciphertextHash[id];
        return (r.requester, r.deadline, uint8(r.status), hash);
    }

    /// @notice A withdrawal request: whether it exists, its index in the log, and whether it was paid.
    function withdrawal(bytes32 id) external view returns (bool requested, uint64 index, bool paid) {
        Withdrawal memory w = _withdrawals[id];
        return (w.requested, w.index, w.paid);
    }

    /// @notice The accumulator after the first `operations` operations; zero for none and for more than there are.
    function history(uint64 operations) external view returns (bytes32) {
        return _log.values[operations];
    }

    /// @notice Deposits and withdrawal requests so far.
    function count() external view returns (uint64) {
        return _log.count;
    }

    /// @notice Of them, how many the current table contains.
    function consumed() external view returns (uint64) {
        return _log.consumed;
    }

    /// @inheritdoc ReportReceiver
    function _workflowNameOf(uint8 kind) internal view override returns (bytes10) {
        if (kind == ReportPayload.ROUND) return workflowName;
        if (kind == ReportPayload.PAYOUT) return PAYOUT_WORKFLOW_NAME;
        revert UnexpectedKind(kind);
    }

    /// @inheritdoc ReportReceiver
    function _process(ReportPayload.Binding memory binding, bytes calldata report) internal override nonReentrant {
        if (binding.kind == ReportPayload.ROUND) _closeRound(ReportPayload.round(report));
        else _payOut(ReportPayload.payout(report));
    }

    function _closeRound(ReportPayload.Round memory r) private {
        if (halted) revert Halted();
        _checkSuccessor(r);
        _checkPrice(r);
        _log.consume(r.count, r.accumulator);
        _settle(r);
        tableVersion = r.version;
        headerHash = r.headerHash;
        lastRound = uint64(block.timestamp);
        emit RoundClosed(r.version, r.headerHash);
    }

    function _checkSuccessor(ReportPayload.Round memory r) private view {
        uint256 next = uint256(tableVersion) + 1;
        if (r.version != next) revert VersionMismatch(next, r.version);
        if (r.previous != headerHash) revert PreviousHeaderMismatch(headerHash, r.previous);
        if (r.headerHash == 0) revert ZeroHeaderHash();
    }

    function _checkPrice(ReportPayload.Round memory r) private view {
        if (r.priceBlock > block.number) revert PriceBlockInFuture(block.number, r.priceBlock);
        if (r.source != priceSource) revert PriceSourceMismatch(priceSource, r.source);
    }

    function _settle(ReportPayload.Round memory r) private {
        if (r.requestId == 0) {
            if (r.success) revert IdleRoundSuccess();
            return;
        }
        _requests.settle(r.requestId, r.success, fillWindow);
        emit DarkPoolFill(r.requestId, r.success, block.timestamp);
    }

    /// @dev Also after the rounds have been halted: what was withdrawn is no longer in the table.
    function _payOut(ReportPayload.Payout memory p) private {
        _checkWithdrawal(p.withdrawalId);
        if (p.version > tableVersion) revert VersionAhead(tableVersion, p.version);
        if (!_assets.contains(p.token)) revert AssetList.InvalidToken(p.token);
        if (p.to == address(0) || p.to == address(this)) revert InvalidRecipient(p.to);
        if (p.amount == 0) revert AssetList.ZeroAmount();
        _withdrawals[p.withdrawalId].paid = true;
        emit WithdrawalPaid(p.withdrawalId, p.to, p.token, p.amount);
        custody.giveOut(p.token, p.to, p.amount);
    }

    function _checkWithdrawal(bytes32 id) private view {
        Withdrawal memory w = _withdrawals[id];
        if (!w.requested) revert UnknownWithdrawal(id);
        if (w.paid) revert AlreadyPaid(id);
        if (w.index >= _log.consumed) revert WithdrawalNotConsumed(id, w.index, _log.consumed);
    }

    function _haltIfAbandoned() private {
        if (halted) return;
        uint256 opens = uint256(lastRound) + exitDelay;
        if (block.timestamp < opens) revert ExitNotOpen(opens, block.timestamp);
        halted = true;
        emit RoundsHalted(tableVersion, block.timestamp);
    }

    function _deposit(
        uint32 assetIndex,
        AssetList.Asset memory a,
        uint256 amount,
        bytes32 salt,
        bytes calldata ciphertext
    ) private returns (bytes32 id) {
        a.checkDeposit(amount);
        id = _claimId(salt, ciphertext);
        uint64 index = _log.append(_depositOf(msg.sender, a.token, amount, ciphertextHash[id]));
        emit Deposited(id, index, msg.sender, assetIndex, amount, salt, ciphertext);
        a.takeIn(custody, amount);
    }

    function _claimId(bytes32 salt, bytes calldata ciphertext) private returns (bytes32 id) {
        if (halted) revert Halted();
        if (ciphertext.length == 0 || ciphertext.length > MAX_CIPHERTEXT) {
            revert CiphertextLength(MAX_CIPHERTEXT, ciphertext.length);
        }
        id = keccak256(abi.encode(block.chainid, address(this), msg.sender, salt));
        if (ciphertextHash[id] != 0) revert IdUsed(id);
        ciphertextHash[id] = keccak256(ciphertext);
    }

    function _depositOf(address from, address token, uint256 amount, bytes32 hash)
        private
        pure
        returns (OperationLog.Operation memory)
    {
        return OperationLog.Operation(OperationLog.DEPOSIT, from, token, amount, hash);
    }
}
