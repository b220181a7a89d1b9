"""Every attack that is played against the desk, in one sentence, and the tests that play it.

`make attack` runs them and says of each whether it was held; `make test` runs the same tests among all others. A test
is named by its file and function: whatever it is called with counts, and one that fails breaks the attack. Most are
where the thing that they attack is tested anyway; what has no such place is in this folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    group: str
    sentence: str
    tests: tuple[str, ...]


# Group → what is tried → where it is played, as `file::test`, several with blanks between; a test alone is in the file
# before it.
PLAYED: Mapping[str, Mapping[str, str]] = {
    "Sessions": {
        "Whoever has no session, a made-up one or one that ended asks for every page, file and websocket.": (
            "tests/attack/test_over_http.py::test_no_state_of_a_session_but_an_open_one_opens_anything"
        ),
        "A stranger posts, puts and deletes instead of asking.": (
            "tests/dashboard/test_gate.py::test_a_stranger_cannot_change_anything_even_with_an_html_accept"
        ),
        "A cookie is guessed, or taken from what the database holds.": (
            "tests/dashboard/test_gate.py::test_a_forged_cookie_is_no_cookie test_the_stored_hash_is_not_a_key"
        ),
        "A copy of the cookie is used after its owner signed out.": (
            "tests/dashboard/test_single_sign_on.py::test_signing_out_ends_the_session_for_every_copy_of_the_cookie"
        ),
        "A tab stays open after silence, revocation or leaving.": (
            "tests/pages/test_shell.py::test_a_page_that_is_open_closes_when_the_session_ends"
        ),
        "The next person in the same browser looks for what the one before saw.": (
            "tests/pages/test_shell.py::test_what_one_person_had_on_screen_is_gone_for_the_next"
            " tests/dashboard/test_gate.py::test_signing_in_as_somebody_else_ends_the_old_session"
        ),
        "In a demo somebody picks a name from another machine, through a proxy, or where it is no demo.": (
            "tests/dashboard/test_gate.py::test_nobody_signs_in_from_another_machine_by_picking_a_name"
            " test_nobody_signs_in_through_a_proxy_by_picking_a_name"
            " test_picking_a_name_needs_every_condition_of_a_demo"
            " test_picking_a_name_needs_a_database_that_bears_the_mark"
        ),
    },
    "Sign-in": {
        "An identity token is of another issuer, client, key or time, or answers what nobody asked.": (
            "tests/dashboard/test_single_sign_on.py::test_a_token_that_does_not_fit_is_worth_nothing"
            " test_an_answer_that_this_browser_did_not_ask_for_is_worth_nothing"
            " test_the_same_subject_of_another_issuer_is_somebody_else"
        ),
        "Somebody has the e-mail address of a colleague.": (
            "tests/dashboard/test_single_sign_on.py::test_nobody_gets_in_by_an_e_mail_address"
        ),
        "Whoever left signs in again.": (
            "tests/dashboard/test_single_sign_on.py::test_whoever_left_does_not_get_in"
        ),
        "An invitation is guessed, used twice, or used by somebody else.": (
            "tests/dashboard/test_single_sign_on.py::test_an_invitation_is_for_its_address"
            " test_a_made_up_invitation_lets_nobody_in"
            " tests/actions/test_invitations.py::test_the_token_is_not_stored_and_an_end_is_one"
        ),
        "A token names groups that ask for administrator, or for what nobody named.": (
            "tests/attack/test_by_sql.py"
            "::test_a_group_that_asks_for_administrator_gives_what_the_owner_named_and_nothing_else"
            " tests/dashboard/test_group_roles.py::test_where_no_group_is_named_claims_change_nothing"
            " test_only_whoever_runs_the_machine_names_groups_and_only_with_the_owners_login"
            " test_the_last_administrator_is_not_lost_whatever_the_provider_says"
        ),
        "Signing in leads to a page of somebody else's.": (
            "tests/dashboard/test_safe_redirect.py::test_anything_but_a_path_of_ours_leads_to_the_start"
            " tests/dashboard/test_single_sign_on.py::test_nobody_is_sent_elsewhere_afterwards"
        ),
        "A logout token is forged, or posted again to end the sessions of others.": (
            "tests/dashboard/test_provider_sign_out.py::test_a_logout_token_that_does_not_fit_ends_nothing"
            " test_a_logout_token_of_another_key_ends_nothing"
            " test_a_token_that_is_posted_again_ends_nothing_that_began_since"
        ),
        "An address tries sign-ins, keys and signatures again and again, or says that it is another.": (
            "tests/dashboard/test_address_limits.py::test_an_address_that_is_refused_again_and_again_waits"
            " test_what_a_stranger_says_of_their_address_is_not_believed"
        ),
    },
    "Roles": {
        "Each role opens the pages of the others.": (
            "tests/pages/test_shell.py::test_a_page_opens_for_the_roles_of_its_permission_and_explains_itself_to_the_others"
        ),
        "Each action is called by everybody who may not, past the pages.": (
            "tests/attack/test_roles_and_actions.py::test_an_action_refuses_every_role_that_may_not"
            " tests/rules/test_permissions.py::test_a_role_may_do_what_the_table_gives_it_and_nothing_else"
        ),
        "Whoever signed in too long ago moves money or rights.": (
            "tests/actions/test_step_up.py::test_a_stale_sign_in_is_refused_before_anything_is_looked_at"
            " tests/dashboard/test_single_sign_on.py::test_a_confirmation_without_a_fresh_proof_does_not_count"
            " test_somebody_elses_proof_does_not_confirm_this_session"
        ),
        "One person proposes and approves.": (
            "tests/actions/test_second_person.py::test_the_database_lets_nothing_be_confirmed_without_its_maker"
            " test_a_proposal_falls_with_its_maker_and_with_time"
        ),
        "The application's login says that the system did it, where a second person would have to.": (
            "tests/actions/test_second_person_by_sql.py::test_an_entry_of_the_system_is_not_the_second_persons"
            " test_an_entry_of_the_system_is_not_the_first_persons"
            " test_nothing_is_put_in_as_settled_already_without_the_second_persons_entry"
        ),
        "In an emergency somebody gives a role to themselves or that of an administrator, or reviews what they gave.": (
            "tests/actions/test_emergency_roles.py"
            "::test_nobody_is_made_administrator_and_nobody_gives_or_reviews_their_own"
            " test_without_a_review_it_ends_at_its_time"
        ),
        "One person erases by a retention run, or erases whom a legal hold keeps.": (
            "tests/actions/test_retention.py::test_nobody_carries_out_their_own_and_the_run_is_not_for_everybody"
            " test_a_legal_hold_keeps_a_person_and_stops_no_other"
        ),
        "Somebody with a tie to a party decides, approves or is given its case.": (
            "tests/actions/test_bad_input.py::test_a_mediator_with_a_tie_to_either_party_does_not_decide"
            " tests/actions/test_second_person.py::test_a_checker_with_a_tie_does_not_confirm"
            " tests/actions/test_found_ties.py::test_a_case_is_not_given_to_whom_an_address_ties_to_its_party"
        ),
        "A party decides its own case, or acts for another.": (
            "tests/actions/test_bad_input.py::test_a_party_does_not_decide_its_own_case"
            " tests/rules/test_permissions.py::test_a_party_acts_for_itself_only"
        ),
        "Two decide, pay or approve at the same moment.": (
            "tests/faults/test_two_at_once.py::test_of_two_mediators_deciding_one_wins_and_the_other_is_told_who"
            " test_a_decision_and_a_hold_keep_an_order test_paying_twice_at_once_is_one_charge"
        ),
    },
    "Browser": {
        "Another site posts a form, or opens the websocket, with a colleague's cookie.": (
            "tests/attack/test_over_http.py::test_another_site_gets_neither_the_websocket_nor_anything_done"
            " tests/dashboard/test_gate.py::test_a_form_on_another_site_gets_nothing_done"
        ),
        "A name of somebody else's leads to the desk (DNS rebinding).": (
            "tests/attack/test_over_http.py::test_under_another_name_the_desk_answers_nobody"
        ),
        "A websocket asks the API or the webhooks.": (
            "tests/dashboard/test_address_limits.py::test_a_websocket_to_what_is_for_programs_is_refused"
        ),
        "A page is framed, runs a script of somebody else's, or talks to somebody else.": (
            "tests/dashboard/test_headers_and_health.py::test_every_answer_forbids_foreign_content_and_framing"
            " tests/dashboard/test_address_limits.py::test_a_page_talks_to_nobody_but_this_desk"
        ),
        "A script reads the cookie, or another site sends it along.": (
            "tests/dashboard/test_gate.py::test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites"
        ),
    },
    "Texts": {
        "A name, title or message is markdown or HTML.": (
            "tests/pages/test_shell.py::test_words_of_outsiders_are_not_markdown"
            " tests/dashboard/test_headers_and_health.py::test_the_sign_in_page_shows_names_as_they_are_written"
            " tests/pages/test_unreadable_addresses.py::test_what_hostile_words_ask_for_is_shown_as_words_and_cut"
        ),
        "A text is a formula when the export is opened in a spreadsheet.": (
            "tests/audit/test_exports.py::test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe"
            " test_no_cell_begins_like_a_formula_and_json_lines_come_back"
            " tests/gateways/test_bounded_evidence.py::test_formulas_are_still_found_behind_blanks"
        ),
        "Words turn round, hide, or consist of marks that nobody sees.": (
            "tests/rules/test_visible_text.py::test_what_nobody_sees_says_nothing"
            " tests/api/test_words_from_outside.py::test_a_title_that_nobody_sees_is_refused"
            " tests/gateways/test_evidence_files.py::test_text_is_shown_as_text_and_marks_that_hide_are_spelled_out"
        ),
        "A body, a name or an address has NUL, broken characters or a nest without end.": (
            "tests/api/test_words_from_outside.py::test_an_address_with_nul_or_broken_characters_is_a_problem"
            " tests/api/test_strict_json.py::test_a_message_with_control_marks_is_refused"
            " tests/test_webhooks.py::test_a_nest_without_end_is_refused"
        ),
        "A filter of a page is SQL.": (
            "tests/audit/test_exports.py::test_an_attempt_to_write_sql_through_a_filter_finds_nothing"
        ),
    },
    "Files": {
        "A file is two kinds at once, a bomb, a script in a picture, or not what it says.": (
            "tests/gateways/test_evidence_files.py::test_a_hostile_or_useless_file_is_refused"
        ),
        "A PDF or an office document runs something, or reaches out.": (
            "tests/gateways/test_evidence_files.py::test_a_pdf_in_which_something_could_run_is_refused"
            " tests/gateways/test_office_files.py::test_what_runs_is_embedded_or_reaches_out_is_refused_in_a_real_file"
            " test_a_document_with_macros_is_refused_whatever_its_name"
        ),
        "An archive lies about its sizes, is locked, or overlaps itself.": (
            "tests/gateways/test_evidence_files.py::test_an_archive_whose_list_lies_about_sizes_is_refused"
            " test_a_locked_archive_is_refused test_a_stored_archive_that_overlaps_itself_is_refused"
        ),
        "An e-mail carries a hostile file, a thousand of them, or is without end.": (
            "tests/gateways/test_evidence_files.py::test_an_email_with_a_hostile_file_is_refused_whole_and_names_it"
            " test_an_email_inside_an_email_and_too_many_files_are_refused"
            " tests/gateways/test_bounded_evidence.py::test_a_thousand_attachments_are_refused"
            " test_an_email_too_deep_or_long_to_read_is_refused_at_once"
        ),
        "A picture hangs its decoder, or the process that draws it looks for our settings.": (
            "tests/gateways/test_evidence_files.py::test_a_decoder_that_hangs_is_ended_and_the_next_file_is_served"
            " test_the_process_apart_sees_none_of_our_settings"
        ),
        "Evidence is altered, or moved to another party, on the disk.": (
            "tests/actions/test_evidence.py::test_altered_bytes_are_never_shown_and_count_as_unopened"
            " tests/gateways/test_evidence_store.py::test_a_file_moved_to_another_party_does_not_open"
        ),
    },
    "Downloads": {
        "An export is fetched by somebody else, by another session of the same person, or twice.": (
            "tests/processes/test_exports.py::test_nobody_else_takes_it_and_no_other_session_of_the_same_person"
            " test_the_database_gives_nothing_out_twice"
        ),
        "An export is fetched after its time, or after its session was revoked.": (
            "tests/processes/test_exports.py::test_its_time_ends_and_then_it_is_removed"
            " test_it_ends_with_its_session_before_and_after_it_is_made"
        ),
        "Somebody exports who may not.": (
            "tests/processes/test_exports.py::test_only_those_who_may_ask"
            " tests/audit/test_exports.py::test_of_all_people_only_compliance_exports_the_log"
        ),
    },
    "API": {
        "A request is signed by a guessed secret, for another method, address or body, too old, or from the future.": (
            "tests/api/test_authentication.py::test_a_forged_signature_opens_nothing"
            " test_a_signature_lives_five_minutes_before_and_after"
            " test_a_signature_is_of_one_method_address_key_and_body test_signatures_of_the_future_do_not_last"
        ),
        "A request that was overheard is sent again.": (
            "tests/api/test_authentication.py::test_a_recorded_request_sent_again_is_answered_and_not_done_again"
        ),
        "A key was revoked, is for reading only, or is unknown.": (
            "tests/api/test_authentication.py::test_a_revoked_key_opens_nothing test_a_reading_key_changes_nothing"
            " test_unknown_keys_are_all_refused_alike"
        ),
        "A marketplace asks for the objects and parties of another, or of another project.": (
            "tests/api/test_tenants.py::test_another_platforms_objects_are_not_there"
            " test_another_platforms_milestones_cannot_be_moved test_a_party_of_another_platform_is_not_a_party_here"
            " test_a_party_of_another_project_may_do_nothing"
            " tests/api/test_access.py::test_another_marketplaces_endpoint_is_not_there"
        ),
        "An idempotency key is used for another request, or is another marketplace's.": (
            "tests/api/test_idempotency.py::test_the_same_key_with_another_request_is_refused"
            " test_the_key_of_one_platform_is_not_the_key_of_another"
        ),
        "Our events are sent into the inner network, by an address or by a name that stands for one.": (
            "tests/api/test_access.py::test_a_marketplace_has_nothing_sent_to_an_inner_network"
            " tests/api/test_connections.py::test_a_name_that_stands_for_an_inner_address_is_told_nothing"
        ),
        "An endpoint drips its answer to hold up everybody else.": (
            "tests/api/test_connections.py::test_who_drips_an_answer_is_cut_and_delays_only_itself"
        ),
    },
    "Webhooks": {
        "An event of Stripe's is not signed, signed with another secret, or old.": (
            "tests/test_webhooks.py::test_a_forged_or_stale_event_is_refused_with_the_reason"
            " test_without_a_secret_nothing_is_believed test_a_signature_counts_to_the_second"
            " tests/gateways/test_stripe_webhooks.py::test_another_secret_is_forged"
            " test_a_time_that_was_not_signed_is_forged"
        ),
        "An event is sent many times, at once.": (
            "tests/test_webhooks.py::test_an_event_that_comes_many_times_at_once_is_kept_once"
        ),
        "A body is larger than any event.": (
            "tests/test_webhooks.py::test_a_body_beyond_the_limit_is_not_even_read"
        ),
    },
    "Database": {
        "The application's login tries every verb on every table, and every column.": (
            "tests/migrations/test_logins.py::test_the_login_does_to_each_table_what_is_listed_and_nothing_else"
            " test_the_login_changes_the_columns_that_are_listed_and_no_others"
            " test_it_calls_these_functions_of_the_owner"
        ),
        "With the application's login alone somebody takes an identity, role, session, key, policy or name.": (
            "tests/migrations/test_logins.py::test_with_the_applications_login_alone"
        ),
        "The application's login moves a status without its entry, or where the table has no such move.": (
            "tests/audit/test_statuses_recorded.py::*"
            " tests/migrations/test_schema.py::test_no_other_move_is_possible_even_in_sql"
        ),
        "The ledger is written past its posting function, by the application or by the owner.": (
            "tests/ledger/test_guards.py::test_app_has_no_right_to_write test_app_may_call_nothing_but_posting"
            " test_the_owner_cannot_write_around_posting test_nobody_can_log_in_as_the_bookkeeper"
            " test_a_temporary_table_cannot_stand_in_for_the_ledger"
        ),
        "With the application's login alone money of customers is posted where no posting function puts it.": (
            "tests/ledger/test_kinds.py::test_a_journal_that_no_posting_function_makes_is_refused"
        ),
        "The auditor's login writes, or reads what would open a session.": (
            "tests/migrations/test_schema.py::test_the_auditor_writes_nothing"
            " tests/migrations/test_logins.py::test_the_auditor_reads_nothing_that_opens_a_door"
        ),
        "A role is given, or the last administrator taken, by SQL.": ("tests/actions/test_role_grants.py::*"),
        "With the application's login a temporary table is laid before one that a guard reads.": (
            "tests/attack/test_by_sql.py::test_no_temporary_table_is_taken_for_the_log"
            " test_every_function_looks_at_temporary_tables_last"
            " tests/ledger/test_guards.py::*"
        ),
        "With the application's login an emergency is made up, or reviewed in the name of another.": (
            "tests/attack/test_by_sql.py::test_no_emergency_is_made_up_by_sql_with_an_entry_of_nobodys"
            " test_an_emergency_is_not_reviewed_by_sql_in_the_name_of_another"
            " tests/actions/test_emergency_roles.py::test_the_database_repeats_it"
        ),
        "With the application's login a retention run is made up, approved, hurried or widened.": (
            "tests/attack/test_by_sql.py::test_no_retention_run_is_made_up_by_sql_with_entries_of_nobodys"
            " test_a_retention_run_is_neither_hurried_nor_widened_by_sql"
            " tests/actions/test_erasures.py::test_the_applications_login_erases_nobody_without_two_people"
        ),
    },
    "Record": {
        "A superuser alters, puts in, removes or swaps rows, in every table and column under seal.": (
            "tests/audit/test_rows_under_seal.py::test_every_column_of_every_table_is_found_when_sql_alters_it"
            " test_rows_that_are_put_in_removed_or_swapped_are_found_in_every_table"
            " test_a_trigger_that_was_switched_off_is_named"
        ),
        "The log is altered, cut, swapped or emptied.": (
            "tests/audit/test_tampering.py::test_a_change_of_any_column_is_found_and_named test_a_removed_row_is_named"
            " test_an_inserted_entry_is_named test_two_entries_that_change_places_are_named"
            " test_everything_truncated_is_found"
        ),
        "History is cut or sealed again, with its seals.": (
            "tests/audit/test_tampering.py::test_rows_removed_together_with_their_seals_are_named"
            " test_removed_seals_are_found_through_the_checkpoints"
            " test_a_history_sealed_again_without_the_key_is_found_and_the_entry_named"
            " test_the_sealer_does_not_sign_on_top_of_a_rewritten_history"
        ),
        "Checkpoints are forged, cut or put in another order.": (
            "tests/audit/test_tampering.py::test_a_forged_checkpoint_is_found test_a_missing_line_is_found"
            " test_lines_in_another_order_are_found"
        ),
        "Everything is signed again with another key, or the key beside the checkpoints is replaced.": (
            "tests/audit/test_signing_keys.py::test_everything_signed_again_with_another_key_is_found_by_whoever_knows_the_desks"
            " test_a_handing_over_that_the_old_key_did_not_sign_is_found test_a_lost_key_is_never_made_anew_in_silence"
            " tests/audit/test_tampering.py::test_a_checkpoint_signed_with_another_key_is_found"
            " test_a_changed_public_key_does_not_deceive_who_keeps_a_copy"
        ),
        "A backup is brought back, so that the newest history is gone.": (
            "tests/audit/test_restore.py::test_a_backup_that_was_brought_back_is_found_by_the_checkpoints_outside"
            " tests/audit/test_outside.py::test_the_copy_outside_verifies_the_log_and_finds_a_home_that_was_cut_short"
            " tests/audit/test_sealing.py::test_a_file_of_another_database_is_not_continued"
        ),
        "A checkpoint is forged in the bucket, or the home is rolled back behind it.": (
            "tests/audit/test_outside_places.py"
            "::test_a_home_that_was_rolled_back_is_found_by_its_bucket_and_a_forged_checkpoint_in_it_too"
            " tests/audit/test_outside.py"
            "::test_a_home_that_was_rolled_back_altered_or_lacks_a_line_is_named_when_a_place_is_read_back"
        ),
        "A timestamp is replaced, altered, or given by somebody else.": (
            "tests/audit/test_outside_places.py"
            "::test_a_timestamp_that_was_replaced_altered_or_cannot_be_read_is_named"
            " test_the_authority_is_pinned_by_its_root_or_its_very_certificate"
            " test_an_authority_that_answers_with_another_stamp_or_not_at_all_is_not_believed"
            " tests/audit/test_bundles.py::test_a_bundle_has_the_last_timestamp_and_what_it_covers"
        ),
        "An export, a bundle or a proof is altered, or made anew with another key.": (
            "tests/audit/test_bundles.py::test_whatever_is_altered_is_found"
            " test_a_bundle_that_was_made_anew_with_another_key_is_not_the_desks"
            " tests/audit/test_export_proof.py::test_every_row_that_is_off_is_named"
            " test_every_fact_of_the_manifest_is_signed"
            " tests/audit/test_example_verifier.py::test_proofs_are_verified_and_each_alteration_is_found"
        ),
        "A case file is forged, with a fitting manifest.": (
            "tests/case_file/test_forgeries.py::test_a_forgery_is_found_by_its_content_or_by_the_key_that_signed_it"
            " tests/case_file/test_case_file.py::test_a_forgery_with_a_fitting_manifest_is_found"
        ),
    },
    "Privacy": {
        "Somebody reads a case, a project or a person while it cannot be recorded.": (
            "tests/pages/test_readings.py::test_what_cannot_be_recorded_is_not_shown"
        ),
        "With the application's login somebody takes what they read out of the log.": (
            "tests/actions/test_readings.py::test_with_the_applications_login_no_reading_is_taken_out_of_the_log"
            " test_what_was_entered_stays_so"
        ),
        "Finance, compliance or an administrator reads on any page, or finds by the search, who somebody is.": (
            "tests/pages/test_masks.py::test_no_page_says_who_somebody_is"
            " test_the_search_finds_by_name_and_shows_masks"
            " test_finance_reads_a_case_by_roles_until_it_reveals_both"
        ),
        "Somebody takes the masked list as a file.": (
            "tests/pages/test_masks.py::test_a_file_of_the_list_has_the_masks_of_the_page"
        ),
        "Somebody reveals names who may not, without a reason, or without a session.": (
            "tests/actions/test_reveals.py::test_whoever_may_not_reveals_nobody"
            " test_without_a_reason_nobody_is_revealed test_without_a_session_or_anybody_nothing_is_revealed"
        ),
        "What was revealed is looked at after its time, or in another session.": (
            "tests/actions/test_reveals.py::test_it_shows_this_party_in_this_session_for_a_while"
            " tests/pages/test_masks.py::test_a_list_shows_masks_and_whom_one_reveals"
        ),
        "Somebody reveals everybody, a few at a time.": (
            "tests/actions/test_reveals.py::test_many_within_an_hour_are_an_alarm_and_everybody_who_watches_is_told_once"
        ),
    },
    "Machine": {
        "Another account of the machine reads keys, or what the sandbox keeps.": (
            "tests/gateways/test_sandbox_is_private.py::test_only_its_owner_reads_what_the_sandbox_keeps"
            " tests/gateways/test_evidence_store.py::test_a_master_key_that_others_can_read_is_refused"
            " tests/audit/test_sealing.py::test_the_key_is_made_once_and_only_its_owner_reads_it"
        ),
        "Somebody at a terminal says that they are a colleague.": (
            "tests/cli/test_operator.py::test_nobody_is_taken_for_somebody_else"
        ),
        "Another machine reads the metrics.": (
            "tests/dashboard/test_headers_and_health.py::test_metrics_are_numbers_for_this_machine_only"
        ),
    },
}


def attacks() -> Iterator[Attack]:
    for group, sentences in PLAYED.items():
        for sentence, played in sentences.items():
            yield Attack(group, sentence, tuple(_named(played)))


def _named(played: str) -> Iterator[str]:
    """`file::test` for each; `file` alone for all of its tests."""
    file = ""
    for each in played.split():
        path, _, test = each.rpartition("::")
        file = path or file
        yield file if test == "*" else f"{file}::{test}"
