/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/session_state.h"

#include <stddef.h>

#include "soter/wipe.h"

soter_status
themis_session_refuse(themis_session *session, soter_status status, const char *refusal)
{
    session->refusal = refusal != NULL ? refusal : soter_status_text(status);
    return status;
}

void themis_session_forget(themis_session *session)
{
    soter_key_free(session->own.key);
    session->own.key = NULL;
    soter_key_free(session->peer.ephemeral);
    session->peer.ephemeral = NULL;
    soter_sign_key_free(session->peer.verifier);
    session->peer.verifier = NULL;
    soter_wipe(&session->secrets, sizeof session->secrets);
#ifdef THEMIS_TESTING
    soter_wipe(session->planned, sizeof session->planned);
#endif
}
