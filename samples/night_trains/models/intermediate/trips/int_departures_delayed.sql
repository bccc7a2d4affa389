with departures as (

    select * from {{ ref('stg_rail__departures') }}

),

incidents as (

    select * from {{ ref('stg_rail__incidents') }}

),

incidents_by_departure as (

    select
        departure_id,
        count(*) as incidents,
        sum(delay_minutes) as incident_minutes,
        (array_agg(incident_kind order by delay_minutes desc, incident_id))[1] as worst_incident_kind

    from incidents
    group by departure_id

),

final as (

    select
        departures.departure_id,
        departures.line_code,
        departures.service_date,
        departures.scheduled_departure_at,
        departures.scheduled_arrival_at,
        departures.arrived_at,
        departures.is_cancelled,
        coalesce(incidents_by_departure.incidents, 0) as incidents,
        coalesce(incidents_by_departure.incident_minutes, 0) as incident_minutes,
        incidents_by_departure.worst_incident_kind,
        {{ minutes_between('departures.scheduled_arrival_at', 'departures.arrived_at') }} as delay_minutes

    from departures
    left join incidents_by_departure
        on departures.departure_id = incidents_by_departure.departure_id

)

select * from final
