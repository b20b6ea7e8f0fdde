/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/session_state.h"

#include <stddef.h>

#include "soter/compiler.h"
#include "soter/wipe.h"

/* Of this thread, not of the session: between a call that is refused and the question why, another
 * thread may have made one that is refused for another reason. */
static SOTER_THREAD_LOCAL const char *last_refusal;

soter_status themis_session_refuse(soter_status status, const char *refusal)
{
    last_refusal = refusal != NULL ? refusal : soter_status_text(status);
    return status;
}

const char *themis_session_refusal(void)
{
    return last_refusal != NULL ? last_refusal : "nothing was refused";
}

void themis_session_forget(themis_session *session)
{
    soter_key_free(session->identity);
    session->identity = NULL;
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
